"""Reads the meshes of segments, in the forms that DVID's clients ask for."""

import re
from functools import partial
from typing import NamedTuple, Protocol

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.mesh_forms import MeshForm, encode_mesh
from dvidpc.formats.mesh import Mesh
from dvidpc.formats.precomputed.mesh_info import LegacyMeshInfo, parse_mesh_info
from dvidpc.formats.precomputed.side_documents import MAX_SIDE_INFO_SIZE
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.legacy_meshes import LegacyMeshes
from dvidpc.sources.precomputed.location import INFO_KEY
from dvidpc.sources.precomputed.multilod_meshes import MultilodMeshes
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object


class StoredMeshes(Protocol):
    """Meshes in one of the formats."""

    @property
    def object_names(self) -> re.Pattern[str] | None:
        """The names of the objects of which each segment with a mesh has one, the id as the first group.

        None if segments have no objects of their own.
        """

    def describe(self, segment_id: int) -> str:
        """Return the name of a segment's manifest for messages."""

    async def contains(self, segment_id: int) -> bool:
        """Return whether a segment has a mesh; reads its manifest at most."""

    async def load(self, segment_id: int, lod: int | None) -> tuple[Mesh, int] | None:
        """Return the mesh of a segment in nanometers, and its level of detail; None if it has none.

        Raises:
            FormatError: Stored bytes are malformed.
            StoreError: The bucket failed.
            TooLargeError: The mesh is too large at any level, or at the one that *lod* names.
        """


class MeshBytes(NamedTuple):
    """An encoded mesh."""

    data: bytes
    lod: int
    """Its level of detail; 0 is the finest."""


class MeshReader:
    """Reads the meshes of one volume.

    Args:
        meshes: Reads them from the bucket.
        tools: Threads and limits.
    """

    def __init__(self, meshes: StoredMeshes, tools: SegmentTools) -> None:
        self._meshes = meshes
        self._tools = tools

    @property
    def object_names(self) -> re.Pattern[str] | None:
        """As `StoredMeshes.object_names`."""
        return self._meshes.object_names

    async def read_mesh(self, segment_id: int, form: MeshForm, lod: int | None = None) -> MeshBytes | None:
        """Return the mesh of a segment; None if it has none.

        Args:
            segment_id: Which segment: an unsigned 64-bit number.
            form: How to encode it.
            lod: Which level of detail; None: the finest that is not too large. A level that the mesh lacks
                is answered by None.

        Raises:
            FormatError: Stored bytes are malformed; the message names the object.
            StoreError: The bucket failed; whether there is a mesh is not known.
            TooLargeError: The mesh is too large at any level, or at the one that *lod* names.
        """
        loaded = await self._meshes.load(segment_id, lod)
        if loaded is None:
            return None
        mesh, level = loaded
        encode = partial(encode_mesh, mesh, form, self._tools.voxel_size_nm)
        return MeshBytes(await self._tools.run(self._meshes.describe(segment_id), encode), level)

    async def has_mesh(self, segment_id: int) -> bool:
        """Return whether `read_mesh` would find a mesh, from the segment's manifest alone.

        Raises:
            FormatError: The manifest is malformed.
            StoreError: The bucket failed.
        """
        return await self._meshes.contains(segment_id)


async def open_meshes(store: ObjectStore, directory: str, tools: SegmentTools) -> MeshReader:
    """Return a reader of the meshes in *directory*, after reading its `info`; without one they are legacy.

    Raises:
        FormatError: The `info` is malformed or of an unknown type; the message names it.
        StoreError: The bucket failed.
    """
    key = resolve_key(directory, INFO_KEY)
    blob = await store.get(key, max_size=MAX_SIDE_INFO_SIZE)
    try:
        info = parse_mesh_info(None if blob is None else blob.data)
    except FormatError as error:
        raise FormatError(f"{name_object(store.url, key)}: {error}") from error
    if isinstance(info, LegacyMeshInfo):
        return MeshReader(LegacyMeshes(store, directory, tools), tools)
    return MeshReader(MultilodMeshes(store, directory, info, tools), tools)
