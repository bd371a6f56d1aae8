"""Random volumes in every form that the format allows, written by tensorstore and cloud-volume.

Where neither library writes a combination (colour jxl, rare encodings in shards), the codec's own library
encodes each chunk, and tensorstore's shard writer or a plain file stores it.
"""

import itertools
import json
import shutil
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from cloudvolume import CloudVolume
from cloudvolume.datasource.precomputed.common import compressed_morton_code
from hypothesis import strategies as st

from tests.encoders import COMBINATIONS, ENCODERS, LABEL_TYPES, Voxels, draw_labels, draw_voxels

XYZ = tuple[int, int, int]

TENSORSTORE = frozenset({"raw", "jpeg", "png", "compressed_segmentation"})
LOSSLESS = frozenset({"raw", "png", "compressed_segmentation"})


@dataclass(frozen=True)
class DrawnVolume:
    """A volume to write. Sizes are x, y, z."""

    encoding: str
    data_type: str
    num_channels: int
    size: XYZ
    chunk_size: XYZ
    offset: XYZ
    sharding: Mapping[str, Any] | None
    second_chunk_size: XYZ | None
    """The chunk size of a second copy in the same directory; None if there is none."""
    holes: frozenset[int]
    """Numbers of the chunks that are not stored, counted across both copies."""
    block_size: int | str
    key: str
    spelling: str
    """How the `info` is spelled: as tensorstore does, or in a way that only some readers accept."""
    writer: str
    label_block: XYZ = (8, 8, 8)
    seed: int = 0
    num_labels: int = 0
    """Number of different labels; 0: it is an image."""

    @property
    def kind(self) -> str:
        """The volume's `type`."""
        return "segmentation" if self.num_labels else "image"

    @property
    def block_side(self) -> int:
        """Voxels along each edge of a block."""
        return self.chunk_size[0] if self.block_size == "chunk" else int(self.block_size)


@dataclass
class Truth:
    """The stored content of a volume."""

    voxels: Voxels
    """`[x, y, z, c]`, zero where nothing is stored."""
    known: Voxels
    """`[x, y, z]`: whether a stored chunk covers the voxel."""
    tolerance: float = 0
    notes: list[str] = field(default_factory=list)


@st.composite
def drawn_volumes(draw: st.DrawFn) -> DrawnVolume:
    """Draw a small volume of any kind."""
    encoding = draw(st.sampled_from(["raw", "raw", "png", *sorted(ENCODERS)]))
    _, data_type, channels = draw(st.sampled_from([c for c in COMBINATIONS if c[0] == encoding]))
    size = draw(_triples(st.integers(1, 40)))
    cells = draw(_triples(st.sampled_from([1, 1, 2, 3, 4])))
    more = draw(_triples(st.sampled_from([0, 0, 1, 5, 100])))
    chunk_size = _chunk_size(size, cells, more)
    if draw(st.integers(0, 3)) == 0:
        side = draw(st.sampled_from([8, 16, 32]))
        chunk_size = (side, side, side)
    sharding = draw(st.none() | _shardings)
    copies = sharding is None and encoding in LOSSLESS and draw(st.booleans())
    second = _chunk_size(size, draw(_triples(st.sampled_from([1, 2, 3]))), (0, 0, 0)) if copies else None
    block_sizes: list[int | str] = [8, 16, 16, 20, 32]
    is_cube = len(set(chunk_size)) == 1 and chunk_size[0] <= 64
    if encoding in TENSORSTORE:
        writer = "tensorstore"
    elif sharding is None and channels == 1 and draw(st.booleans()):
        writer = "cloudvolume"
    else:
        writer = "codec"
    return DrawnVolume(
        encoding=encoding,
        data_type=data_type,
        num_channels=channels,
        size=size,
        chunk_size=chunk_size,
        offset=draw(_triples(st.sampled_from([0, 0, 8, 16, 64, 5, -7, -16, -64, 1000]))),
        sharding=sharding,
        second_chunk_size=second if second != chunk_size else None,
        holes=draw(st.frozensets(st.integers(0, 80), max_size=25)),
        block_size=draw(st.sampled_from([*block_sizes, "chunk"] if is_cube else block_sizes)),
        key=draw(st.sampled_from(["s0", "s0", "a/b", "../elsewhere", "./s0", "s0/", "8_8_8"])),
        spelling=draw(st.sampled_from(["plain", "plain", "odd", "bare"])),
        writer=writer,
        label_block=draw(st.sampled_from([(8, 8, 8), (4, 4, 4), (16, 16, 2), (5, 3, 7), (1, 1, 1)])),
        seed=draw(st.integers(0, 100)),
    )


@st.composite
def drawn_segmentations(draw: st.DrawFn) -> DrawnVolume:
    """Draw a small segmentation of any kind."""
    encoding = draw(st.sampled_from(["compressed_segmentation"] * 4 + ["raw", "png", "compresso", "crackle"]))
    data_type = draw(st.sampled_from(LABEL_TYPES[encoding]))
    size = draw(_triples(st.sampled_from([1, 7, 30, 64, 70, 128])))
    cells = draw(_triples(st.sampled_from([1, 1, 2, 3])))
    chunk_size = _chunk_size(size, cells, draw(_triples(st.sampled_from([0, 0, 5]))))
    if draw(st.booleans()):
        chunk_size = (64, 64, 64)
    sharding = draw(st.none() | _shardings)
    is_tensorstores = encoding in TENSORSTORE and data_type != "int64"
    return DrawnVolume(
        encoding=encoding,
        data_type=data_type,
        num_channels=1,
        size=size,
        chunk_size=chunk_size,
        offset=draw(_triples(st.sampled_from([0, 0, 64, 128, 5, -7, -64]))),
        sharding=sharding,
        second_chunk_size=None,
        holes=draw(st.frozensets(st.integers(0, 20), max_size=3)),
        block_size=64,
        key="s0",
        spelling="plain",
        writer="tensorstore" if is_tensorstores else "codec",
        label_block=draw(st.sampled_from([(8, 8, 8), (8, 8, 8), (16, 16, 2), (5, 3, 7), (64, 64, 64)])),
        seed=draw(st.integers(0, 100)),
        num_labels=draw(st.sampled_from([1, 2, 5, 40, 600])),
    )


def _triples(values: st.SearchStrategy[int]) -> st.SearchStrategy[XYZ]:
    return st.tuples(values, values, values)


def _chunk_size(size: XYZ, cells: XYZ, more: XYZ) -> XYZ:
    x, y, z = (-(-n // c) + m for n, c, m in zip(size, cells, more, strict=True))
    return x, y, z


_shardings = st.fixed_dictionaries(
    {
        "@type": st.just("neuroglancer_uint64_sharded_v1"),
        "preshift_bits": st.sampled_from([0, 0, 1, 2, 9]),
        "hash": st.sampled_from(["identity", "murmurhash3_x86_128"]),
        "minishard_bits": st.sampled_from([0, 1, 2, 6]),
        "shard_bits": st.sampled_from([0, 1, 2, 15]),
        "minishard_index_encoding": st.sampled_from(["raw", "gzip"]),
        "data_encoding": st.sampled_from(["raw", "gzip"]),
    }
)


def write(volume: DrawnVolume, directory: Path) -> Truth:
    """Write *volume* with its `info` in *directory*; the parent directory is used too."""
    directory.mkdir(parents=True)
    if volume.num_labels:
        voxels = draw_labels(volume.size, volume.data_type, volume.num_labels, volume.seed)[..., None]
    else:
        voxels = draw_voxels(volume.size, volume.data_type, volume.num_channels, volume.seed)
    numbers = itertools.count()
    known = np.zeros(volume.size, bool)
    for chunk_size in _copies(volume):
        stored = [cell for cell in _cells(volume.size, chunk_size) if next(numbers) not in volume.holes]
        for cell in stored:
            known[_slices(volume.size, chunk_size, cell)] = True
        part = _WRITERS[volume.writer](volume, directory, chunk_size, voxels, stored)
        if volume.second_chunk_size is None:
            voxels = part
    voxels = np.where(known[..., None], voxels, np.zeros((), voxels.dtype))
    _rewrite_info(volume, directory)
    return Truth(voxels, known, {"jpeg": 4, "kempressed": 3e-7}.get(volume.encoding, 0))


def _copies(volume: DrawnVolume) -> list[XYZ]:
    return [volume.chunk_size, *([volume.second_chunk_size] if volume.second_chunk_size else [])]


def _cells(size: XYZ, chunk_size: XYZ) -> Iterator[XYZ]:
    ranges = (range(-(-n // c)) for n, c in zip(size, chunk_size, strict=True))
    xs, ys, zs = ranges
    return itertools.product(xs, ys, zs)


def _slices(size: XYZ, chunk_size: XYZ, cell: XYZ) -> tuple[slice, slice, slice]:
    x, y, z = (slice(g * c, min((g + 1) * c, n)) for g, c, n in zip(cell, chunk_size, size, strict=True))
    return x, y, z


def _chunk_name(volume: DrawnVolume, chunk_size: XYZ, cell: XYZ) -> str:
    slices = _slices(volume.size, chunk_size, cell)
    return "_".join(f"{o + s.start}-{o + s.stop}" for o, s in zip(volume.offset, slices, strict=True))


def _scale(volume: DrawnVolume, chunk_size: XYZ) -> dict[str, Any]:
    scale: dict[str, Any] = {
        "key": "s0",
        "resolution": [8, 8, 8],
        "size": list(volume.size),
        "voxel_offset": list(volume.offset),
        "chunk_sizes": [list(chunk_size)],
        "encoding": volume.encoding,
    }
    if volume.encoding == "compressed_segmentation":
        scale["compressed_segmentation_block_size"] = list(volume.label_block)
    if volume.sharding is not None:
        scale["sharding"] = dict(volume.sharding)
    return scale


def _info(volume: DrawnVolume, scale: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "neuroglancer_multiscale_volume",
        "type": volume.kind,
        "data_type": volume.data_type,
        "num_channels": volume.num_channels,
        "scales": [scale],
    }


def _write_by_tensorstore(
    volume: DrawnVolume, directory: Path, chunk_size: XYZ, voxels: Voxels, stored: list[XYZ]
) -> Voxels:
    """Write with tensorstore, which does not store chunks of zeros; return what it reads back."""
    aside = directory.parent / "aside"
    scale = _scale(volume, chunk_size)
    scale["chunk_size"] = scale.pop("chunk_sizes")[0]
    if volume.encoding == "jpeg":
        scale["jpeg_quality"] = 95
    holed = np.zeros_like(voxels)
    for cell in stored:
        place = _slices(volume.size, chunk_size, cell)
        holed[place] = voxels[place]
    store = ts.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{aside}/"},
            "multiscale_metadata": {
                "type": volume.kind,
                "data_type": volume.data_type,
                "num_channels": volume.num_channels,
            },
            "scale_metadata": scale,
        },
        create=True,
    ).result()
    store[...].write(holed).result()
    result = np.asarray(store[...].read().result())
    shutil.copytree(aside, directory, dirs_exist_ok=True)
    shutil.rmtree(aside)
    return result


def _write_by_cloudvolume(
    volume: DrawnVolume, directory: Path, chunk_size: XYZ, voxels: Voxels, stored: list[XYZ]
) -> Voxels:
    """Write with cloud-volume, which compresses files and adds a suffix; return what it reads back."""
    scale = _scale(volume, chunk_size)
    if volume.encoding == "jxl":
        scale["jxl_quality"] = 100
    info = _info(volume, scale)
    (directory / "info").write_text(json.dumps(info))
    cloud = CloudVolume(
        f"precomputed://file://{directory}", info=info, non_aligned_writes=True, bounded=False
    )
    start = np.array(volume.offset)
    stop = start + volume.size
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    cloud[box] = voxels
    # It reads int32 of zfpc by way of float32, which has 24 bits; what it wrote is lossless.
    result = voxels if volume.data_type == "int32" else np.array(cloud[box])
    names = {_chunk_name(volume, chunk_size, cell) for cell in stored}
    for file in (directory / "s0").iterdir():
        if file.name.removesuffix(".gz") not in names:
            file.unlink()
    return result


def _write_by_codec(
    volume: DrawnVolume, directory: Path, chunk_size: XYZ, voxels: Voxels, stored: list[XYZ]
) -> Voxels:
    (directory / "s0").mkdir()
    (directory / "info").write_text(json.dumps(_info(volume, _scale(volume, chunk_size))))
    chunks = {
        cell: ENCODERS[volume.encoding](voxels[_slices(volume.size, chunk_size, cell)]) for cell in stored
    }
    if volume.sharding is None:
        for cell, data in chunks.items():
            (directory / "s0" / _chunk_name(volume, chunk_size, cell)).write_bytes(data)
        return voxels
    base = {"driver": "file", "path": f"{directory}/s0/"}
    shards = ts.KvStore.open(
        {"driver": "neuroglancer_uint64_sharded", "base": base, "metadata": dict(volume.sharding)}
    ).result()
    grid = np.array([-(-n // c) for n, c in zip(volume.size, chunk_size, strict=True)])
    with ts.Transaction() as transaction:
        for cell, data in chunks.items():
            code = int(compressed_morton_code(np.array(cell), grid))
            shards.with_transaction(transaction).write(struct.pack(">Q", code), data).result()
    return voxels


_WRITERS = {
    "tensorstore": _write_by_tensorstore,
    "cloudvolume": _write_by_cloudvolume,
    "codec": _write_by_codec,
}


def _rewrite_info(volume: DrawnVolume, directory: Path) -> None:
    """Add the second copy, move the chunks to the scale's key, and change the spelling."""
    info = json.loads((directory / "info").read_text())
    (scale,) = info["scales"]
    scale["chunk_sizes"] = [list(size) for size in _copies(volume)]
    scale["key"] = volume.key
    source, target = directory / "s0", (directory / volume.key).resolve()
    if source.exists() and source != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    if volume.spelling == "odd":
        info |= {"type": "IMAGE", "data_type": volume.data_type.upper(), "app": {"x": 1}, "mesh": "m"}
        info["num_channels"] = str(volume.num_channels)
        scale |= {
            "size": [float(n) for n in volume.size],
            "encoding": volume.encoding.upper(),
            "png_level": 3,
        }
        scale.setdefault("sharding", None)
    if volume.spelling == "bare":
        info.pop("@type", None)
        if volume.offset == (0, 0, 0):
            scale.pop("voxel_offset", None)
        for name in ("minishard_index_encoding", "data_encoding"):
            if (scale.get("sharding") or {}).get(name) == "raw":
                del scale["sharding"][name]
    (directory / "info").write_text(json.dumps(info))
