"""Reads legacy meshes: a manifest, and the fragments that it names."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from dvidpc.errors import FormatError, TooLargeError
from dvidpc.formats.mesh import Mesh, join_meshes
from dvidpc.formats.precomputed.legacy_mesh import decode_fragment, manifest_name, parse_manifest
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel

_MANIFEST_NAMES: Final = re.compile(r"(0|[1-9][0-9]{0,19}):0", re.ASCII)
_MAX_MANIFEST_SIZE: Final = 16 * 2**20
_CONCURRENT_READS: Final = 64
"""Fragments of one mesh that are read concurrently."""


class LegacyMeshes:
    """The meshes of one directory; see `StoredMeshes`.

    Args:
        store: Where the directory lies.
        directory: Its key.
        tools: Threads and limits.
    """

    def __init__(self, store: ObjectStore, directory: str, tools: SegmentTools) -> None:
        self._store = store
        self._directory = directory
        self._tools = tools

    @property
    def object_names(self) -> re.Pattern[str]:
        """As `StoredMeshes.object_names`."""
        return _MANIFEST_NAMES

    def describe(self, segment_id: int) -> str:
        """As `StoredMeshes.describe`."""
        return name_object(self._store.url, self._manifest_key(segment_id))

    async def contains(self, segment_id: int) -> bool:
        """As `StoredMeshes.contains`."""
        return bool(await self._find_fragments(segment_id))

    async def load(self, segment_id: int, lod: int | None) -> tuple[Mesh, int] | None:
        """As `StoredMeshes.load`; there is only level 0."""
        keys = await self._find_fragments(segment_id)
        if not keys or lod not in {None, 0}:
            return None
        fragments = await self._read_fragments(segment_id, keys)
        return await self._tools.run(self.describe(segment_id), partial(_join, keys, fragments)), 0

    async def _find_fragments(self, segment_id: int) -> list[str]:
        """Return the keys of a mesh's fragments; none if there is no mesh."""
        blob = await self._store.get(self._manifest_key(segment_id), max_size=_MAX_MANIFEST_SIZE)
        if blob is None:
            return []
        return await self._tools.run(self.describe(segment_id), partial(self._parse_manifest, blob.data))

    def _parse_manifest(self, data: bytes) -> list[str]:
        return [resolve_key(self._directory, name) for name in parse_manifest(data)]

    async def _read_fragments(self, segment_id: int, keys: Sequence[str]) -> list[bytes]:
        turns = asyncio.Semaphore(_CONCURRENT_READS)
        most = self._tools.max_mesh
        total = 0

        async def read(key: str) -> bytes:
            nonlocal total
            async with turns:
                blob = await self._store.get(key, max_size=most)
            if blob is None:
                name = name_object(self._store.url, key)
                raise FormatError(f"{self.describe(segment_id)} names {name}, which does not exist")
            total += len(blob.data)
            if total > most:
                raise TooLargeError(f"mesh of segment {segment_id} has more than {most} bytes, the limit")
            return blob.data

        return await gather_or_cancel(read(key) for key in keys)

    def _manifest_key(self, segment_id: int) -> str:
        name = manifest_name(segment_id)
        return f"{self._directory}/{name}" if self._directory else name


def _join(keys: Sequence[str], fragments: Sequence[bytes]) -> Mesh:
    meshes = []
    for key, data in zip(keys, fragments, strict=True):
        try:
            meshes.append(decode_fragment(data))
        except FormatError as error:
            raise FormatError(f"fragment {key!r}: {error}") from error
    return join_meshes(meshes)
