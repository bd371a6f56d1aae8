"""Collections of synapses for the rows of annotations: lines with two numbers, in shards."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

RECORD: Final = np.dtype([("ends", "<f4", (2, 3)), ("conf_pre", "<f4"), ("conf_post", "<f4")])
Synapses = NDArray[Any]
"""Records, as they are stored."""

_REACH: Final = 20
"""The most voxels between the ends of a line along an axis."""
_SHARDING: Final[Mapping[str, object]] = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "identity",
    "minishard_bits": 0,
    "shard_bits": 0,
}
"""One shard, with one minishard."""


def draw_synapses(count: int, size: tuple[int, int, int], seed: int) -> Synapses:
    """Return lines in a box of *size* voxels; eight begin at each place, as in the fly's brain."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, np.array(size), (max(count // 8, 1), 3))
    synapses = np.zeros(count, RECORD)
    synapses["ends"][:, 0] = starts[rng.integers(0, len(starts), count)]
    steps = rng.integers(-_REACH, _REACH + 1, (count, 3))
    synapses["ends"][:, 1] = np.clip(synapses["ends"][:, 0] + steps, 0, np.array(size) - 1)
    synapses["conf_pre"], synapses["conf_post"] = rng.random((2, count)).round(4)
    return synapses


def write_collection(
    directory: Path, size: tuple[int, int, int], grids: list[int], cells: Mapping[tuple[int, int], Synapses]
) -> None:
    """Write a collection of which every level is cut along x only.

    Args:
        directory: The collection's, new.
        size: Extent in voxels.
        grids: How many cells each level has.
        cells: What each cell lists, by level and position along x.
    """
    levels = []
    for level, count in enumerate(grids):
        chunk = [size[0] / count, size[1], size[2]]
        levels.append(
            {
                "key": f"s{level}",
                "grid_shape": [count, 1, 1],
                "chunk_size": chunk,
                "limit": 1,
                "sharding": _SHARDING,
            }
        )
        lists = {
            x: encode(synapses, 2**32 * level + 2**24 * x)
            for (of, x), synapses in cells.items()
            if of == level
        }
        write_shard(directory / f"s{level}", lists)
    info = {
        "@type": "neuroglancer_annotations_v1",
        "dimensions": {axis: [8, "nm"] for axis in "xyz"},
        "lower_bound": [0, 0, 0],
        "upper_bound": size,
        "annotation_type": "line",
        "properties": [{"id": name, "type": "float32"} for name in ("conf_pre", "conf_post")],
        "relationships": [
            {"id": name, "key": name, "sharding": _SHARDING}
            for name in ("pre_synaptic_cell", "post_synaptic_cell")
        ],
        "by_id": {},
        "spatial": levels,
    }
    (directory / "info").write_text(json.dumps(info))


def encode(synapses: Synapses, first_id: int) -> bytes:
    """Encode a list; ids begin with *first_id*."""
    ids = np.arange(first_id, first_id + len(synapses), dtype="<u8")
    return struct.pack("<Q", len(synapses)) + synapses.tobytes() + ids.tobytes()


def write_shard(directory: Path, values: Mapping[int, bytes]) -> None:
    """Write values into the one shard of an index; ids are ascending."""
    directory.mkdir(parents=True)
    sizes = list(map(len, values.values()))
    ids = np.diff(list(values), prepend=0)
    index = np.array([ids, [0] * len(sizes), sizes], "<u8").tobytes()
    where = struct.pack("<2Q", sum(sizes), sum(sizes) + len(index))
    (directory / "0.shard").write_bytes(where + b"".join(values.values()) + index)
