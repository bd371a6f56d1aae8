"""Arrays drawn at random and written by other libraries hold what was written, in every chunk."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from dvidpc.formats.arrays.dialects import ArrayFormat
from tests.array_reading import open_volume, read_level
from tests.drawn_arrays import (
    COMPRESSIONS,
    DATA_TYPES,
    WRITERS,
    DrawnArray,
    Voxels,
    WrittenArray,
    drawn_arrays,
    matrix,
    read_by_tensorstore,
    read_by_z5py,
    write_array,
)
from tests.zarr_python import zarr


def kind_of(drawn: DrawnArray) -> ArrayFormat:
    return ArrayFormat.N5 if drawn.format == "n5" else ArrayFormat.ZARR


def check(drawn: DrawnArray, directory: Path) -> None:
    written = write_array(drawn, directory)
    volume = open_volume(kind_of(drawn), directory)
    (level,) = volume.levels
    assert volume.num_channels == written.num_channels
    assert level.grid.offset == tuple(
        at if name in drawn.axes else 0 for name, at in zip("xyz", drawn.offset, strict=True)
    )
    for channel in range(written.num_channels):
        np.testing.assert_array_equal(read_level(level, directory, channel), written.zyx(channel))
    if not (drawn.writer == "hand" and drawn.is_big_endian):  # only Java reads blocks of variable length
        np.testing.assert_array_equal(read_by_others(written), written.voxels)


def read_by_others(written: WrittenArray) -> Voxels:
    """Return what another library reads than ours; zarr-python reads what tensorstore does not open."""
    try:
        return read_by_tensorstore(written)
    except ValueError:
        if written.drawn.format == "n5":
            return read_by_z5py(written.directory)
        return np.asarray(zarr.open_array(written.directory, mode="r")[...])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(drawn_arrays())
def test_drawn_arrays_hold_what_was_written(drawn: DrawnArray) -> None:
    with TemporaryDirectory() as directory:
        check(drawn, Path(directory) / "array")


@pytest.mark.parametrize("format_name", WRITERS)
def test_every_compression_of_every_data_type_is_read(format_name: str, tmp_path: Path) -> None:
    drawn = [one for one in matrix() if one.format == format_name]
    assert len(drawn) == len(WRITERS[format_name]) * len(COMPRESSIONS[format_name]) * len(DATA_TYPES)
    for number, one in enumerate(drawn):
        check(one, tmp_path / str(number))
