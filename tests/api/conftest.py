"""A small volume, for the tests of what stands around the data."""

from pathlib import Path

import pytest

from tests.volumes import VolumeSpec, write_volume


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume of 3 x 3 x 2 chunks and two scales, one chunk of it a hole."""
    directory = tmp_path_factory.mktemp("volume") / "em"
    write_volume(directory, VolumeSpec(encoding="jpeg", holes=((2, 2, 1),), scale_levels=2))
    return directory
