"""Writes meshes, skeletons and properties for tests, with cloud-volume and DracoPy; and stores in memory."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
from cloudvolume.datasource.precomputed.mesh.multilod import MultiLevelPrecomputedMeshManifest
from cloudvolume.datasource.precomputed.sharding import ShardingSpecification
from numpy.typing import NDArray

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError, OversizeError, StoreError
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import Blob
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

RECORDED = Path(__file__).parent / "recorded" / "segments"

Quantized = tuple[NDArray[np.uint32], NDArray[np.uint32]]
Placed = Mapping[tuple[int, int, int], Quantized | None]
"""Fragments by octree node; None: an empty one."""

SHARDING: Mapping[str, Any] = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 1,
    "hash": "murmurhash3_x86_128",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}


class MemoryStore:
    """An ObjectStore over a mapping; counts requests and how many of them follow each other.

    Args:
        objects: The objects by key.
        latency_s: How long an answer takes.
    """

    url = "memory://bucket/"
    identity = url
    oddity = None

    def __init__(self, objects: Mapping[str, bytes], latency_s: float = 0) -> None:
        self.objects = dict(objects)
        self.latency_s = latency_s
        self.asked: list[tuple[str, ByteRange | None]] = []
        self.most_concurrent = 0
        self.round_trips = 0
        self.broken = False
        self._concurrent = 0

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """Nothing is ever reported missing that may exist."""

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        assert is_metadata in {True, False}
        data = await self._answer(key, None)
        if data is not None and len(data) > max_size:
            raise OversizeError(f"{key} holds {len(data)} bytes, more than {max_size}")
        return None if data is None else Blob(data, _version(data))

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        assert byte_range.size > 0
        data = await self._answer(key, byte_range)
        if data is None:
            return None
        if version is not None and version != _version(data):
            raise ObjectChangedError(f"{key} was replaced")
        if byte_range.stop > len(data):
            raise FormatError(f"{key} ends before byte {byte_range.stop}")
        return Blob(data[byte_range.start : byte_range.stop], _version(data))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        data = await self._answer(key, ByteRange(-size, 0))
        if data is not None and len(data) < size:
            raise FormatError(f"{key} ends at byte {len(data)}")
        return None if data is None else Blob(data[len(data) - size :], _version(data))

    async def close(self) -> None:
        pass

    async def _answer(self, key: str, byte_range: ByteRange | None) -> bytes | None:
        self.asked.append((key, byte_range))
        if not self._concurrent:
            self.round_trips += 1
        self._concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self._concurrent)
        try:
            await asyncio.sleep(self.latency_s)
        finally:
            self._concurrent -= 1
        if self.broken:
            raise StoreError(f"{key} cannot be read")
        return self.objects.get(key)


def _version(data: bytes) -> Version:
    return Version(f'"{hash(data)}"', len(data))


@contextmanager
def segment_tools(
    voxel_size_nm: tuple[float, float, float] = (8, 8, 8), max_mesh: int = 2**27
) -> Iterator[SegmentTools]:
    """What readers need, with caches of their own."""
    with ThreadPoolExecutor(2) as pool:
        indexes, documents = (LoadingCache(2**26, absence_ttl_s=30, clock=lambda: 0) for _ in range(2))
        yield SegmentTools(indexes, documents, pool, voxel_size_nm, max_mesh)


def objects_below(directory: Path) -> dict[str, bytes]:
    """The files of a directory, by their path in it."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def draw_patch(bits: int, seed: int, side: int = 5) -> Quantized:
    """A crumpled sheet of vertices that spans the whole range of a fragment."""
    rng = np.random.default_rng(seed)
    most = 2**bits - 1
    steps = np.linspace(0, most, side).astype(np.uint32)
    x, y = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    vertices = np.stack([x, y, rng.integers(0, most + 1, x.size)], axis=1).astype(np.uint32)
    number = np.arange(side * side, dtype=np.uint32).reshape(side, side)
    a, b, c, d = (
        part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:])
    )
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.uint32)


def encode_fragment(fragment: Quantized | None, *, metadata: bool = False) -> bytes:
    if fragment is None:
        return b""
    return bytes(DracoPy.encode(*fragment, compression_level=7, create_metadata=metadata))


def encode_multilod(
    lods: Sequence[Placed],
    *,
    chunk_shape: Sequence[float] = (64, 64, 64),
    grid_origin: Sequence[float] = (0, 0, 0),
    vertex_offsets: Sequence[Sequence[float]] | None = None,
) -> tuple[bytes, bytes]:
    """The manifest of an object, and its fragment data."""
    encoded = [[encode_fragment(fragment) for fragment in lod.values()] for lod in lods]
    manifest = MultiLevelPrecomputedMeshManifest(
        segment_id=0,
        chunk_shape=np.array(chunk_shape, np.float32),
        grid_origin=np.array(grid_origin, np.float32),
        num_lods=len(lods),
        lod_scales=[float(2**lod) for lod in range(len(lods))],
        vertex_offsets=vertex_offsets or [(0, 0, 0)] * len(lods),
        num_fragments_per_lod=[len(lod) for lod in lods],
        fragment_positions=[np.array(list(lod)).reshape(-1, 3) for lod in lods],
        fragment_offsets=[len(fragment) for lod in encoded for fragment in lod],
    )
    return manifest.to_binary(), b"".join(fragment for lod in encoded for fragment in lod)


def multilod_info(bits: int = 16, **changes: object) -> dict[str, object]:
    return {
        "@type": "neuroglancer_multilod_draco",
        "vertex_quantization_bits": bits,
        "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
        "lod_scale_multiplier": 1,
        **changes,
    }


def multilod_objects(
    info: Mapping[str, object], meshes: Mapping[int, tuple[bytes, bytes]], directory: str = "mesh"
) -> dict[str, bytes]:
    """The objects of a mesh directory; the shards, if any, are cloud-volume's."""
    objects = {f"{directory}/info": json.dumps(info).encode()}
    sharding = info.get("sharding")
    if sharding is None:
        for segment_id, (manifest, data) in meshes.items():
            objects[f"{directory}/{segment_id}.index"] = manifest
            objects[f"{directory}/{segment_id}"] = data
        return objects
    assert isinstance(sharding, Mapping)
    pack = gzip.compress if sharding["data_encoding"] == "gzip" else bytes
    packed = {segment_id: (pack(manifest), data) for segment_id, (manifest, data) in meshes.items()}
    # cloud-volume would compress the fragments too
    spec = ShardingSpecification.from_dict({**sharding, "data_encoding": "raw"})
    shards = spec.synthesize_shards(
        {segment_id: data + manifest for segment_id, (manifest, data) in packed.items()},
        data_offset={segment_id: len(manifest) for segment_id, (manifest, _) in packed.items()},
    )
    return objects | {f"{directory}/{name}": bytes(data) for name, data in shards.items()}


def encode_skeleton(
    vertices: NDArray[np.float32], edges: NDArray[np.uint32], *attributes: NDArray[Any]
) -> bytes:
    """A skeleton as neuroglancer's document describes it."""
    counts = np.array([len(vertices), len(edges)], "<u4").tobytes()
    return (
        counts
        + vertices.astype("<f4").tobytes()
        + edges.astype("<u4").tobytes()
        + b"".join(values.astype(values.dtype.newbyteorder("<")).tobytes() for values in attributes)
    )
