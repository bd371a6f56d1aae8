"""A volume for the processes that the tests start."""

from pathlib import Path

import pytest

from tests.volumes import VolumeSpec, sharding, write_volume


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volume")
    write_volume(directory, VolumeSpec(encoding="jpeg", sharding=sharding()))
    return directory
