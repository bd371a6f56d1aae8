"""The demo volume, read back with tensorstore."""

from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from numpy.typing import NDArray

from dvidpc.demo.fields import Shape
from dvidpc.demo.tissue import Tissue
from dvidpc.demo.writing import write_volumes

SHAPE = (70, 262, 269)
SEED = 8


def open_scale(directory: Path, scale: int) -> ts.TensorStore:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "scale_index": scale,
    }
    return ts.open(spec, read=True).result()


def read_scale(directory: Path, scale: int) -> NDArray[np.uint8]:
    voxels: NDArray[np.uint8] = open_scale(directory, scale)[..., 0].read().result().T
    return voxels


def ignore(_: float) -> None:
    pass


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    write_volumes(directory, SHAPE, SEED, ignore)
    return directory


@pytest.mark.parametrize(
    ("scale", "size", "shard_bits"),
    [(0, (269, 262, 70), 1), (1, (135, 131, 35), 0), (2, (68, 66, 18), 0), (3, (34, 33, 9), 0)],
)
def test_each_scale_is_half_the_one_before_rounded_up(
    directory: Path, scale: int, size: tuple[int, int, int], shard_bits: int
) -> None:
    store = open_scale(directory, scale)
    metadata = store.spec().to_json()["scale_metadata"]
    assert store.domain.exclusive_max == (*size, 1)
    assert store.dtype == ts.uint8
    assert metadata["resolution"] == [8 << scale] * 3
    assert metadata["chunk_size"] == [64, 64, 64]
    assert (metadata["encoding"], metadata["jpeg_quality"]) == ("jpeg", 85)
    assert metadata["sharding"] == {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 3,
        "minishard_bits": 3,
        "shard_bits": shard_bits,
        "minishard_index_encoding": "gzip",
        "data_encoding": "raw",
    }


def test_there_are_four_scales_and_several_shards(directory: Path) -> None:
    assert len(list(directory.iterdir())) == 8
    assert len(list((directory / "8_8_8").glob("*.shard"))) == 2
    with pytest.raises(ValueError, match="scale"):
        open_scale(directory, 4)


def test_coarser_scales_show_the_same_tissue(directory: Path) -> None:
    for scale in range(3):
        finer = ts.array(read_scale(directory, scale).astype(np.float32))
        expected = ts.downsample(finer, [2, 2, 2], "mean").read().result()
        stored = read_scale(directory, scale + 1)
        assert abs(stored.mean() - expected.mean()) < 1
        assert np.corrcoef(stored.ravel(), expected.ravel())[0, 1] > 0.95


def test_the_volume_shows_the_tissue(directory: Path) -> None:
    region = (slice(64, 70), slice(192, 256), slice(64, 128))
    stored, drawn = read_scale(directory, 0)[region], Tissue(SHAPE, SEED).draw(region).image
    assert np.corrcoef(stored.ravel(), drawn.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 65), (33, 45, 70)])
def test_any_shape_can_be_made(tmp_path: Path, shape: Shape) -> None:
    write_volumes(tmp_path, shape, SEED, ignore)
    assert read_scale(tmp_path, 0).shape == shape


def test_progress_only_grows_and_ends_at_one(tmp_path: Path) -> None:
    fractions: list[float] = []
    write_volumes(tmp_path, (33, 45, 70), SEED, fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-1] == 1
