"""Public data sets by their documents: extents, resolutions, offsets and channels of every level.

The expected values are worked out by hand from the same facts; see `tests/array_metadata.py`.
"""

from dataclasses import dataclass

import pytest

from dvidpc.formats.arrays.dialects import ArrayFormat, describe_volume, recognise, wanted_documents
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.data_types import DataType
from tests.array_metadata import PUBLIC

Numbers = tuple[float, float, float]
N5 = ("hela", "bdv", "paintera", "n5-viewer", "bossdb", "catmaid")


@dataclass(frozen=True)
class Expected:
    sizes: list[tuple[int, int, int]]
    """Of the first levels along x, y and z."""
    resolutions: list[Numbers]
    offsets: list[tuple[int, int, int]]
    chunk: tuple[int, int, int]
    levels: int
    data_type: str = "uint8"
    channels: int = 1
    warned: tuple[str, ...] = ()
    """A part of each warning."""
    is_labels: bool | None = None


NONE = (0, 0, 0)
WEBKNOSSOS = Expected(
    sizes=[(7180, 4100, 1024), (3590, 2050, 1024), (1795, 1025, 1024)],
    resolutions=[(11.24, 11.24, 28), (22.48, 22.48, 28), (44.96, 44.96, 28)],
    offsets=[NONE] * 3,
    chunk=(32, 32, 32),
    levels=3,
)

EXPECTED = {
    "liver": Expected(
        sizes=[(23601, 21451, 49645), (11800, 10725, 24822), (5900, 5362, 12411)],
        resolutions=[(8, 8, 8), (16, 16, 16), (32, 32, 32)],
        offsets=[NONE] * 15,
        chunk=(128, 128, 64),
        levels=15,
    ),
    "hela": Expected(
        sizes=[(12000, 1600, 6368), (6000, 800, 3184), (3000, 400, 1592)],
        resolutions=[(4, 4, 5.24), (8, 8, 10.48), (16, 16, 20.96)],
        offsets=[NONE] * 5,
        chunk=(384, 384, 384),
        levels=5,
        data_type="uint16",
    ),
    "webknossos": WEBKNOSSOS,
    "webknossos without ome": WEBKNOSSOS,
    "idr": Expected(
        sizes=[(2048, 1024, 10), (1024, 512, 10)],
        resolutions=[(100, 100, 500), (200, 200, 500)],
        offsets=[(609, 521, 2), (305, 261, 2)],
        chunk=(512, 512, 1),
        levels=2,
        data_type="uint16",
        channels=2,
        warned=("levels 0, 1 do not start at a whole voxel",),
    ),
    "e11": Expected(
        sizes=[(6000, 8000, 2000), (3000, 4000, 1000)],
        resolutions=[(35, 35, 80), (70, 70, 160)],
        offsets=[NONE] * 6,
        chunk=(64, 64, 64),
        levels=6,
        channels=18,
    ),
    "cryoet": Expected(
        sizes=[(928, 960, 500), (464, 480, 250)],
        resolutions=[(1.348,) * 3, (2.696,) * 3],
        offsets=[NONE] * 3,
        chunk=(256, 256, 256),
        levels=3,
        data_type="float32",
    ),
    "ome 0.6": Expected(
        sizes=[(512, 512, 100), (256, 256, 100)],
        resolutions=[(4, 4, 40), (8, 8, 40)],
        offsets=[NONE] * 2,
        chunk=(64, 64, 20),
        levels=2,
        data_type="uint16",
    ),
    "bdv": Expected(
        sizes=[(1000, 900, 100), (500, 450, 100), (250, 225, 50)],
        resolutions=[(0.4, 0.4, 2), (0.8, 0.8, 2), (1.6, 1.6, 4)],
        offsets=[NONE] * 3,
        chunk=(64, 64, 64),
        levels=3,
        data_type="uint16",
        warned=("no unit",),
    ),
    "paintera": Expected(
        sizes=[(256, 256, 100), (128, 128, 100)],
        resolutions=[(4, 4, 40), (8, 8, 40)],
        offsets=[(100, 10, 100), (50, 5, 100)],
        chunk=(64, 64, 64),
        levels=2,
        data_type="uint64",
        warned=("no unit",),
        is_labels=True,
    ),
    "n5-viewer": Expected(
        sizes=[(512, 256, 128), (256, 128, 64), (128, 64, 32)],
        resolutions=[(16, 16, 40), (32, 32, 80), (64, 64, 160)],
        offsets=[NONE] * 3,
        chunk=(64, 64, 64),
        levels=3,
        warned=("micrometers",),
    ),
    "bossdb": Expected(
        sizes=[(1000, 800, 60), (500, 400, 60)],
        resolutions=[(4, 4, 40), (8, 8, 40)],
        offsets=[NONE] * 2,
        chunk=(512, 512, 16),
        levels=2,
    ),
    "catmaid": Expected(
        sizes=[(2000, 1000, 40), (1000, 500, 40)],
        resolutions=[(4, 4, 40), (8, 8, 40)],
        offsets=[NONE] * 2,
        chunk=(512, 512, 32),
        levels=2,
    ),
}


def kind_of(name: str) -> ArrayFormat:
    return ArrayFormat.N5 if name in N5 else ArrayFormat.ZARR


def open_public(name: str, selection: ArraySelection) -> ArrayVolume:
    """Read documents as a source does, and no others."""
    stored = PUBLIC[name]
    known: dict[str, bytes | None] = {}
    while wanted := wanted_documents(kind_of(name), known, selection):
        known |= {document: stored[document] for document in wanted}
    assert known == stored
    return describe_volume(kind_of(name), known, selection)


@pytest.mark.parametrize("name", EXPECTED)
def test_levels_are_where_they_should_be(name: str) -> None:
    expected = EXPECTED[name]
    volume = open_public(name, ArraySelection())
    assert volume.refused == ()
    assert len(volume.levels) == expected.levels
    assert [tuple(level.grid.size) for level in volume.levels][: len(expected.sizes)] == expected.sizes
    for level, resolution in zip(volume.levels, expected.resolutions, strict=False):
        assert level.resolution_nm == pytest.approx(resolution)
    assert [tuple(level.grid.offset) for level in volume.levels] == expected.offsets
    assert {tuple(level.grid.chunk_size) for level in volume.levels} == {expected.chunk}
    assert {level.spec.data_type for level in volume.levels} == {DataType(expected.data_type)}
    assert volume.num_channels == expected.channels
    assert volume.is_labels is expected.is_labels
    assert len(volume.warnings) == len(expected.warned), volume.warnings
    assert all(part in said for part, said in zip(expected.warned, volume.warnings, strict=True))


@pytest.mark.parametrize("name", EXPECTED)
def test_formats_are_told_apart(name: str) -> None:
    found = recognise(PUBLIC[name])
    assert found is not None
    assert found.kind is kind_of(name)


@pytest.mark.parametrize("name", ["liver", "idr", "paintera"])
def test_offsets_can_be_left_out(name: str) -> None:
    volume = open_public(name, ArraySelection(ignore_offset=True))
    assert {tuple(level.grid.offset) for level in volume.levels} == {NONE}


def test_a_resolution_of_the_configuration_wins_and_answers_the_warning() -> None:
    volume = open_public("bdv", ArraySelection(resolution_nm=(400, 400, 2000)))
    assert [level.resolution_nm for level in volume.levels] == [
        (400, 400, 2000),
        (800, 800, 2000),
        (1600, 1600, 4000),
    ]
    assert volume.warnings == ()


def test_one_channel_can_be_chosen() -> None:
    volume = open_public("e11", ArraySelection(at=(("c", 17),)))
    assert volume.num_channels == 1
    assert volume.levels[0].axes.fixed == ((0, 17),)
