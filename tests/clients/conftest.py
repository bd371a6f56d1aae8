"""Volumes behind a server, for tests of client programs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.serving import Asked, Server, config_text, serving
from tests.volumes import VolumeSpec, Voxels, write_volume


@dataclass
class Served:
    """A volume behind a server, and the requests that the server got."""

    server: Server
    truth: list[Voxels]
    asked: list[Asked] = field(default_factory=list)


SPEC = VolumeSpec(size=(512, 512, 128), encoding="jpeg", scale_levels=3)
SPEC_WITH_HOLE = VolumeSpec(size=(150, 130, 100), encoding="jpeg", scale_levels=2, holes=((1, 1, 0),))


@pytest.fixture(scope="session")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Voxels]]]:
    """Write both volumes; return their directory, and their voxels by name and scale."""
    directory = tmp_path_factory.mktemp("volumes")
    specs = {"em": SPEC, "holed": SPEC_WITH_HOLE}
    return directory, {name: write_volume(directory / name, spec) for name, spec in specs.items()}


@pytest_asyncio.fixture
async def em(volumes: tuple[Path, dict[str, list[Voxels]]], tmp_path: Path) -> AsyncIterator[Served]:
    """Serve a volume without holes, of three scales."""
    directory, truth = volumes
    asked: list[Asked] = []
    async with serving(config_text({"em": directory / "em"}), tmp_path, on_answer=asked.append) as server:
        yield Served(server, truth["em"], asked)


@pytest_asyncio.fixture
async def holed(volumes: tuple[Path, dict[str, list[Voxels]]], tmp_path: Path) -> AsyncIterator[Served]:
    """Serve a volume with one missing chunk, whose size is not a multiple of the block size."""
    directory, truth = volumes
    asked: list[Asked] = []
    text = config_text({"holed": directory / "holed"})
    async with serving(text, tmp_path, on_answer=asked.append) as server:
        yield Served(server, truth["holed"], asked)
