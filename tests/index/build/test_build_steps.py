"""The steps of a build make the index that numpy counts, byte by byte, from any volume."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvidpc.errors import ConfigError, FormatError, StoreError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.shard_encoding import locate_all
from dvidpc.formats.precomputed.sharding import DataEncoding, ShardHash, ShardingSpec
from dvidpc.index.build.build_files import open_files
from dvidpc.index.build.job import tile_grid
from dvidpc.index.build.map_step import map_tile, tile_name
from dvidpc.index.build.reduce_step import reduce_partition
from dvidpc.index.build.tile_reading import grid_of
from dvidpc.index.index_info import parse_index_info
from dvidpc.storage.ref import Kind
from dvidpc.types import Point
from tests.array_volumes import write_ome_zarr
from tests.building import build, index_of_voxels, job_of, read_index, write_config
from tests.label_chunks import draw_cells
from tests.label_volumes import Labels, LabelScale, write_labels
from tests.volumes import VolumeSpec, sharding, write_volume


def draw(size: Point, dtype: str = "uint64") -> Labels:
    """Return cells, some of label 0, and a speck that makes a chunk of many labels."""
    voxels = draw_cells(80, size, dtype)
    voxels[np.isin(voxels, np.unique(voxels)[::4])] = 0
    voxels[:8, :8, :8] = np.arange(1, 513, dtype=dtype).reshape(8, 8, 8)
    return voxels


SIZE = Point(140, 130, 80)
SCALES = {
    "aligned": LabelScale(draw(SIZE)),
    "sharded": LabelScale(draw(SIZE), sharding=sharding(shard_bits=2, preshift_bits=1)),
    "offset": LabelScale(draw(SIZE), offset=(-70, 3, 1000)),
    "offset by sub-blocks": LabelScale(draw(SIZE), offset=(8, -24, 40)),
    "large chunks": LabelScale(draw(SIZE), chunk_size=(128, 128, 32)),
    "small chunks": LabelScale(draw(SIZE), chunk_size=(32, 16, 50)),
    "flat sub-blocks": LabelScale(draw(SIZE), sub_block=(16, 16, 2)),
    "uint32": LabelScale(draw(SIZE, "uint32")),
    "raw": LabelScale(draw(SIZE), encoding="raw", offset=(1, 2, 3)),
    "png": LabelScale(draw(SIZE, "uint8"), encoding="png"),
    "all background": LabelScale(np.zeros(SIZE[::-1], np.uint64)),
}


@pytest.mark.parametrize("name", SCALES)
def test_an_index_is_what_numpy_counts(name: str, tmp_path: Path) -> None:
    scale = SCALES[name]
    write_labels(tmp_path / "volume", scale)
    job, sources = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    totals = build(job, sources)
    expected = index_of_voxels(job, scale.labels, scale.offset)
    assert read_index(tmp_path / "index") == expected
    assert totals.voxels == np.count_nonzero(scale.labels)
    assert totals.nbytes == sum(map(len, expected.values())) + len(sources)


def test_chunks_that_are_not_stored_have_no_labels(tmp_path: Path) -> None:
    labels = draw(SIZE)
    write_labels(tmp_path / "volume", LabelScale(labels, holes=((1, 1, 0), (2, 2, 1))))
    job, sources = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    build(job, sources)
    seen = labels.copy()
    seen[:64, 64:128, 64:128] = 0
    seen[64:, 128:, 128:] = 0
    assert read_index(tmp_path / "index") == index_of_voxels(job, seen)


@pytest.mark.parametrize("fill", [0, 9])
@pytest.mark.parametrize(("version", "shard"), [("0.4", None), ("0.5", (2, 2, 2))])
def test_arrays_whose_missing_chunks_have_the_fill_value(
    fill: int, version: str, shard: tuple[int, int, int] | None, tmp_path: Path
) -> None:
    labels = draw(SIZE)
    labels[:64, 64:128, :64] = fill
    options: dict[str, Any] = {"version": version, "shard": shard, "fill": fill}
    write_ome_zarr(tmp_path / "volume", [labels], chunk=(32, 32, 32), is_labels=True, **options)
    config = write_config(tmp_path, f"{tmp_path}/volume", 'type = "segmentation"\n', "zarr")
    job, sources = job_of(config, tmp_path / "index")
    build(job, sources)
    assert read_index(tmp_path / "index") == index_of_voxels(job, labels)


def test_holes_of_the_first_copy_are_read_from_the_other(tmp_path: Path) -> None:
    labels = draw(SIZE)
    write_labels(tmp_path / "volume", LabelScale(labels, holes=((0, 0, 0), (1, 1, 1))))
    write_labels(tmp_path / "other", LabelScale(labels, chunk_size=(48, 32, 80), holes=((2, 3, 0),)))
    shutil.copytree(tmp_path / "other/s0", tmp_path / "volume/s0", dirs_exist_ok=True)
    info = json.loads((tmp_path / "volume/info").read_text())
    info["scales"][0]["chunk_sizes"].append([48, 32, 80])
    (tmp_path / "volume/info").write_text(json.dumps(info))
    job, sources = job_of(write_config(tmp_path, f"{tmp_path}/volume"), tmp_path / "index")
    build(job, sources)
    seen = labels.copy()
    seen[64:, 96:128, 96:128] = 0
    assert read_index(tmp_path / "index") == index_of_voxels(job, seen)


MANY_SHARDS = ShardingSpec(0, ShardHash.MURMURHASH3_X86_128, 2, 9, DataEncoding.GZIP, DataEncoding.GZIP)


def test_partitions_of_many_shards(tmp_path: Path) -> None:
    """512 shards are 128 partitions; the shards hold the messages that the only shard of one index has."""
    labels = draw(SIZE)
    write_labels(tmp_path / "volume", LabelScale(labels))
    config = write_config(tmp_path, str(tmp_path / "volume"))
    one, sources = job_of(config, tmp_path / "one")
    many, _ = job_of(config, tmp_path / "many", MANY_SHARDS)
    assert (one.partitions, many.partitions, many.partition_shards) == (1, 128, 4)
    assert build(one, sources)[:3] == build(many, sources)[:3]
    objects = read_index(tmp_path / "many")
    assert objects["table/00000000"] == read_index(tmp_path / "one")["table/00000000"]
    shards, _ = locate_all(MANY_SHARDS, np.unique(labels[labels > 0]).astype(np.uint64))
    names = {f"labels/{MANY_SHARDS.shard_name(shard)}" for shard in shards.tolist()}
    assert {key for key in objects if key.startswith("labels/")} == names
    assert len(names) > 100
    assert parse_index_info(objects["info"]).sharding == MANY_SHARDS


def test_steps_can_run_again_and_in_any_order(tmp_path: Path) -> None:
    write_labels(tmp_path / "volume", SCALES["sharded"])
    job, sources = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    build(job, sources)
    first = read_index(tmp_path / "index")
    tiles = tile_grid(grid_of(job)).count
    assert tiles > 1
    (tmp_path / "index/labels/9.shard").write_bytes(b"of an older index")
    (tmp_path / "index/labels/.0.shard.x.part").write_bytes(b"of a writer that was killed")
    for tile in reversed(range(tiles)):
        map_tile(job, tile)
        map_tile(job, tile)
    reduce_partition(job, 0, tiles)
    build(job, sources)
    assert read_index(tmp_path / "index") == first


def test_every_cell_is_in_one_tile() -> None:
    for size, chunk_size in (((4000, 100, 700), (64, 64, 64)), ((900, 900, 70), (128, 100, 10))):
        grid = Grid(Point(*size), Point(3, -70, 0), Point(*chunk_size))
        tiling = tile_grid(grid)
        cells = [cell for tile in range(tiling.count) for batch in tiling.batches(tile) for cell in batch]
        assert sorted(cells) == sorted(grid.chunks_touching(grid.box))
        assert sum(map(tiling.chunks_of, range(tiling.count))) == grid.chunk_count


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    write_labels(tmp_path / "volume", SCALES["aligned"])
    chunk = tmp_path / "volume/s0/0-64_0-64_0-64"
    chunk.write_bytes(chunk.read_bytes()[:1000])
    job, _ = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    with pytest.raises(FormatError, match="0-64_0-64_0-64"):
        map_tile(job, 0)
    assert open_files(job.scratch).sizes("tiles") == {}


def test_a_damaged_file_in_scratch_is_named(tmp_path: Path) -> None:
    write_labels(tmp_path / "volume", SCALES["aligned"])
    job, _ = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    scratch = open_files(job.scratch)
    scratch.write(tile_name(0), b"no Parquet")
    with pytest.raises(StoreError, match=r"tiles/00000000\.parquet in scratch cannot be read"):
        reduce_partition(job, 0, 1)


def test_an_image_is_refused(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    with pytest.raises(ConfigError, match=r"\[store.labels\] is not a segmentation"):
        job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")


def test_a_web_server_cannot_be_written(tmp_path: Path) -> None:
    write_labels(tmp_path / "volume", SCALES["aligned"])
    job, _ = job_of(write_config(tmp_path, str(tmp_path / "volume")), tmp_path / "index")
    web = replace(job.output, ref=replace(job.output.ref, kind=Kind.HTTP, endpoint="https://example.org"))
    with pytest.raises(ConfigError, match="is a web server, which cannot be written"):
        open_files(web)
