"""One channel of an array as a lattice: names of objects, their chunks, and what is not stored."""

import itertools
import math
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.bundle import METADATA_NAMES
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.dialects import ArrayFormat
from dvidpc.formats.arrays.levels import ArrayLevel
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.shard_index import decode_shard_index
from dvidpc.types import ChunkCoord
from tests.array_reading import open_volume, read_level
from tests.drawn_arrays import DrawnArray, write_array

CHANNELS = DrawnArray(
    format="zarr2",
    writer="tensorstore",
    data_type="uint8",
    axes="tczyx",
    shape=(3, 5, 9, 10, 11),
    chunk=(2, 2, 4, 5, 6),
    compression="raw",
    keys=".",
    fill=None,
)
SHARDED = DrawnArray(
    format="zarr3",
    writer="tensorstore",
    data_type="uint16",
    axes="zyx",
    shape=(30, 40, 50),
    chunk=(10, 10, 10),
    shard=(2, 2, 2),
    compression="zstd",
    fill=0,
    holes=frozenset({0, 1, 5, 6, 20, 21, 25, 26, 59}),
)


def first_level(drawn: DrawnArray, directory: Path, at: tuple[tuple[str, int], ...] = ()) -> ArrayLevel:
    write_array(drawn, directory)
    kind = ArrayFormat.N5 if drawn.format == "n5" else ArrayFormat.ZARR
    (level,) = open_volume(kind, directory, ArraySelection(at=at)).levels
    return level


@pytest.mark.parametrize(("t", "c"), list(itertools.product(range(3), range(5))))
def test_each_time_and_channel_is_read_out_of_chunks_that_hold_several(
    tmp_path: Path, t: int, c: int
) -> None:
    written = write_array(CHANNELS, tmp_path / "array")
    for at, channel in (((("t", t),), c), ((("t", t), ("c", c)), 0)):
        (level,) = open_volume(ArrayFormat.ZARR, written.directory, ArraySelection(at=at)).levels
        np.testing.assert_array_equal(read_level(level, written.directory, channel), written.voxels[t, c])
        view = ChunkView(level, channel)
        assert view.key(ChunkCoord(1, 1, 2)) == f"{t // 2}.{c // 2}.2.1.1"
        assert view.cell_at(f"{t // 2}.{c // 2}.2.1.1") == ChunkCoord(1, 1, 2)


def test_objects_of_other_channels_and_foreign_ones_hold_no_chunk(tmp_path: Path) -> None:
    level = first_level(CHANNELS, tmp_path / "array", (("t", 2),))
    view = ChunkView(level, 3)
    assert view.cell_at("1.1.0.0.0") == ChunkCoord(0, 0, 0)
    others = ["0.1.0.0.0", "1.0.0.0.0", "1.2.0.0.0", "1.1.3.0.0", "1.1.0.2.0", "1.1.0.0.2", "1.1.0.0", "x"]
    assert [name for name in (*others, *METADATA_NAMES) if view.cell_at(name) is not None] == []


@pytest.mark.parametrize("drawn", [CHANNELS, SHARDED], ids=["channels", "sharded"])
def test_names_are_those_of_the_chunks(drawn: DrawnArray, tmp_path: Path) -> None:
    at = (("t", 0),) if "t" in drawn.axes else ()
    view = ChunkView(first_level(drawn, tmp_path / "array", at))
    cells = list(view.level.grid.chunks_touching(view.level.grid.box))
    names = list(view.names())
    assert len(names) == view.num_objects == len(set(names))
    assert set(names) == {view.key(cell) for cell in cells}
    firsts = [view.cell_at(name) for name in names]
    assert [view.key(first) for first in firsts if first is not None] == names


def test_stored_chunks_of_shards_are_known(tmp_path: Path) -> None:
    view = ChunkView(first_level(SHARDED, tmp_path / "array"))
    layout = view.level.spec.shard
    assert layout is not None
    stored: list[ChunkCoord] = []
    for name in view.names():
        file = tmp_path / "array" / name
        if file.exists():
            data = file.read_bytes()
            index = decode_shard_index(data[-layout.index_size :], layout)
            assert index.end() <= len(data) - layout.index_size
            first = view.cell_at(name)
            assert first is not None
            stored += view.stored_in(first, index)
    x, y, _ = view.level.grid.cells
    numbers = {cell.z * x * y + cell.y * x + cell.x for cell in stored}
    assert len(stored) == len(numbers)
    assert set(range(view.level.grid.chunk_count)) - numbers == SHARDED.holes


def test_a_shard_index_that_gives_a_chunk_too_many_bytes_is_refused(tmp_path: Path) -> None:
    view = ChunkView(first_level(SHARDED, tmp_path / "array"))
    layout = view.level.spec.shard
    assert layout is not None
    entries = np.zeros((*layout.cells, 2), "<u8")
    entries[..., 1] = view.level.spec.max_encoded_size
    index = decode_shard_index(_checked(entries.tobytes()), layout)
    found = view.find(index, ChunkCoord(0, 0, 0))
    assert found is not None
    entries[..., 1] += 1
    index = decode_shard_index(_checked(entries.tobytes()), layout)
    with pytest.raises(FormatError, match="its shard index gives it"):
        view.find(index, ChunkCoord(0, 0, 0))


def _checked(data: bytes) -> bytes:
    return data + int(google_crc32c.value(data)).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data_type", "fill"),
    [("uint8", 255), ("int64", -1), ("uint64", 2**64 - 1), ("float32", math.nan), ("float32", -1.5)],
)
def test_what_is_not_stored_is_the_fill_value(tmp_path: Path, data_type: str, fill: float) -> None:
    drawn = DrawnArray("zarr3", "tensorstore", data_type, "zyx", (9, 10, 11), (4, 5, 6), "raw", fill=fill)
    view = ChunkView(first_level(drawn, tmp_path / "array"))
    voxels = view.absent(ChunkCoord(1, 1, 2))
    assert voxels is not None
    assert voxels.shape == (1, 1, 5, 5)
    assert voxels.dtype == np.dtype(data_type)
    np.testing.assert_array_equal(voxels, np.full((1, 1, 5, 5), fill, data_type))
    assert voxels.base is not None
    assert voxels.strides == (0, 0, 0, 0)


@pytest.mark.parametrize("fill", [0, 0.0, -0.0, None])
def test_zeros_are_absent(tmp_path: Path, fill: float | None) -> None:
    drawn = DrawnArray("zarr2", "tensorstore", "float32", "zyx", (9, 10, 11), (4, 5, 6), "raw", fill=fill)
    assert ChunkView(first_level(drawn, tmp_path / "array")).absent(ChunkCoord(0, 0, 0)) is None


@pytest.mark.parametrize("is_big_endian", [False, True])
@pytest.mark.parametrize("axes", ["zyx", "xyz", "yzx"])
def test_voxels_are_contiguous_and_little_endian(axes: str, *, is_big_endian: bool, tmp_path: Path) -> None:
    drawn = DrawnArray(
        "zarr2", "zarr", "uint32", axes, (9, 10, 11), (4, 5, 6), "raw", is_big_endian=is_big_endian, keys="."
    )
    view = ChunkView(first_level(drawn, tmp_path / "array"))
    voxels = view.decode(ChunkCoord(0, 0, 0), (tmp_path / "array" / "0.0.0").read_bytes())
    assert voxels.flags.c_contiguous
    assert voxels.dtype.str == "<u4"
