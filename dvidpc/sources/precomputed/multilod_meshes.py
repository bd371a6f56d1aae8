"""Reads multi-resolution meshes: a manifest, and the fragments of one level of detail."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from dvidpc.errors import FormatError, ObjectChangedError, TooLargeError
from dvidpc.formats.draco import decode_draco, read_counts
from dvidpc.formats.mesh import Mesh, join_meshes
from dvidpc.formats.precomputed.mesh_info import MultilodMeshInfo
from dvidpc.formats.precomputed.multilod_mesh import (
    MAX_MANIFEST_SIZE,
    FragmentPlace,
    MeshManifest,
    decode_manifest,
    place_fragment,
)
from dvidpc.sources.precomputed.keyed_reader import KeyedReader
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.sources.precomputed.shard_reader import StoredValue
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.coalesce import plan_reads
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Comparison, compare
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange

_MANIFEST_NAMES: Final = re.compile(r"(0|[1-9][0-9]{0,19})\.index", re.ASCII)
_CONCURRENT_READS: Final = 16
"""Parts of one mesh that are read concurrently; each has up to two megabytes."""
_DECODING_STEPS: Final = 16
"""Steps in which the fragments of one mesh are decoded, so that several threads take part."""
_BYTES_PER_ROW: Final = 12
"""Bytes of a vertex or triangle."""


class _Found(NamedTuple):
    """A manifest, and where the fragment data of its object lies."""

    manifest: MeshManifest
    key: str
    base: int
    """Where in the object of that key the fragment data starts."""
    shard: StoredValue | None
    """Where the manifest lies; None if it is an object."""


class _LevelPlan(NamedTuple):
    """What to read of one level of detail."""

    places: list[FragmentPlace]
    wanted: list[ByteRange]
    """Where the data of each place lies in its object."""
    reads: list[ByteRange]
    """Ascending; each of *wanted* lies in one."""


class MultilodMeshes:
    """The meshes of one directory; see `StoredMeshes`.

    Args:
        store: Where the directory lies.
        directory: Its key.
        info: The content of its `info`.
        tools: Caches, threads and limits.
    """

    def __init__(
        self, store: ObjectStore, directory: str, info: MultilodMeshInfo, tools: SegmentTools
    ) -> None:
        self._store = store
        self._directory = directory
        self._info = info
        self._tools = tools
        self._manifests = KeyedReader(store, directory, info.sharding, tools.indexes, ".index")

    @property
    def object_names(self) -> re.Pattern[str] | None:
        """As `StoredMeshes.object_names`."""
        return _MANIFEST_NAMES if self._manifests.shards is None else None

    def describe(self, segment_id: int) -> str:
        """As `StoredMeshes.describe`."""
        return self._manifests.describe(segment_id)

    async def contains(self, segment_id: int) -> bool:
        """As `StoredMeshes.contains`."""
        try:
            found = await self._find(segment_id)
        except ObjectChangedError:
            found = await self._find(segment_id)
        return found is not None and found.manifest.data_size > 0

    async def load(self, segment_id: int, lod: int | None) -> tuple[Mesh, int] | None:
        """As `StoredMeshes.load`."""
        try:
            return await self._load(segment_id, lod)
        except ObjectChangedError:
            return await self._load(segment_id, lod)

    async def _load(self, segment_id: int, lod: int | None) -> tuple[Mesh, int] | None:
        found = await self._find(segment_id)
        if found is None:
            return None
        manifest, most = found.manifest, self._tools.max_mesh
        if lod is None:
            stored, candidates = manifest.data_size > 0, manifest.lods_within(most)
        else:
            stored = 0 <= lod < len(manifest.lods) and manifest.lods[lod].byte_range.size > 0
            candidates = [each for each in manifest.lods_within(most) if each == lod]
        if not stored:
            return None
        for candidate in candidates:
            mesh = await self._load_lod(segment_id, found, candidate)
            if mesh is not None:
                return mesh, candidate
        at = "at any level of detail" if lod is None else f"at level of detail {lod}"
        raise TooLargeError(f"mesh of segment {segment_id} has more than {most} bytes, the limit, {at}")

    async def _find(self, segment_id: int) -> _Found | None:
        """Return the manifest of a segment; None if it has none."""
        shards = self._manifests.shards
        if shards is None:
            data = await self._manifests.read(segment_id, MAX_MANIFEST_SIZE)
            if data is None:
                return None
            key = f"{self._directory}/{segment_id}" if self._directory else f"{segment_id}"
            return _Found(await self._decode_manifest(segment_id, data), key, 0, None)
        describe = partial(self.describe, segment_id)
        stored = await shards.locate(segment_id, describe)
        if stored is None:
            return None
        blob = await shards.read_located(stored, MAX_MANIFEST_SIZE, describe)
        manifest = await self._decode_manifest(segment_id, blob.data)
        base = stored.where.start - manifest.data_size
        if base < shards.spec.shard_index_size:
            raise FormatError(
                f"{describe()}: mesh manifest has {manifest.data_size} bytes of fragments before it"
            )
        return _Found(manifest, stored.key, base, stored)

    async def _decode_manifest(self, segment_id: int, data: bytes) -> MeshManifest:
        return await self._tools.run(self.describe(segment_id), partial(decode_manifest, data))

    async def _load_lod(self, segment_id: int, found: _Found, lod: int) -> Mesh | None:
        """Return one level of a mesh; None if it turns out to be larger than the limit."""
        name = f"{name_object(self._store.url, found.key)} id {segment_id}"
        plan = await self._tools.run(name, partial(_plan_level, found, lod))
        blobs = await self._read_parts(segment_id, found, plan.reads)
        fragments = await self._tools.run(name, partial(_cut_fragments, plan, blobs))
        size = await self._tools.run(name, lambda: sum(map(_decoded_size, fragments)))
        if size > self._tools.max_mesh:
            return None
        place = partial(self._place, found.manifest, lod)
        meshes = await gather_or_cancel(
            self._tools.run(name, partial(place, plan.places[at : at + step], fragments[at : at + step]))
            for step in [max(1, -(-len(fragments) // _DECODING_STEPS))]
            for at in range(0, len(fragments), step)
        )
        return await self._tools.run(name, partial(join_meshes, meshes))

    def _place(
        self, manifest: MeshManifest, lod: int, places: Sequence[FragmentPlace], fragments: Sequence[bytes]
    ) -> Mesh:
        """Decode fragments and join them, in nanometers."""
        meshes = []
        for place, data in zip(places, fragments, strict=True):
            decoded = decode_draco(data, self._tools.max_mesh)
            meshes.append(place_fragment(decoded, place.position, lod, manifest, self._info))
        return join_meshes(meshes)

    async def _read_parts(self, segment_id: int, found: _Found, reads: Sequence[ByteRange]) -> list[Blob]:
        turns = asyncio.Semaphore(_CONCURRENT_READS)

        async def read(where: ByteRange) -> Blob:
            async with turns:
                return await self._read_part(segment_id, found, where)

        blobs = await gather_or_cancel(map(read, reads))
        if any(compare(blobs[0].version, blob.version) is Comparison.REPLACED for blob in blobs[1:]):
            name = name_object(self._store.url, found.key)
            raise ObjectChangedError(f"{name} was replaced while it was read")
        return blobs

    async def _read_part(self, segment_id: int, found: _Found, where: ByteRange) -> Blob:
        if found.shard is not None:
            assert self._manifests.shards is not None
            return await self._manifests.shards.read_part(found.key, where, found.shard.version)
        blob = await self._store.get_range(found.key, where)
        if blob is None:
            name = name_object(self._store.url, found.key)
            raise FormatError(f"{self.describe(segment_id)} belongs to {name}, which does not exist")
        return blob


def _plan_level(found: _Found, lod: int) -> _LevelPlan:
    """Decide how to read a level: its fragments lie side by side, so a few reads get many."""
    places = found.manifest.lods[lod].fragments()
    wanted = [ByteRange(found.base + start, found.base + stop) for _, (start, stop) in places]
    return _LevelPlan(places, wanted, plan_reads(wanted, max_gap=0))


def _cut_fragments(plan: _LevelPlan, blobs: Sequence[Blob]) -> list[bytes]:
    fragments = []
    at = 0
    for start, stop in plan.wanted:
        while stop > plan.reads[at].stop:
            at += 1
        first = plan.reads[at].start
        fragments.append(blobs[at].data[start - first : stop - first])
    return fragments


def _decoded_size(fragment: bytes) -> int:
    return _BYTES_PER_ROW * sum(read_counts(fragment))
