"""The meshes of a segmentation as values by key: `<id>.ngmesh`, `<id>.drc`, `<id>.obj`.

`<id>_<lod>.ngmesh` names a level of detail, as NeuTu does.
"""

import logging
import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from dvidpc.data.keyvalue import Value
from dvidpc.data.listed_ids import ListedIds
from dvidpc.data.reopening import Reopening
from dvidpc.data.segment_keys import SegmentIds, SegmentKey, list_keys, parse_key
from dvidpc.formats.dvid.mesh_forms import MeshForm
from dvidpc.sources.precomputed.mesh_reader import open_meshes
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore, OpenLister

log = logging.getLogger(__name__)

_FORMS: Final[Mapping[str, MeshForm]] = MappingProxyType({f".{form}": form for form in MeshForm})


class MeshValues:
    """`Values` of the meshes in one directory.

    Args:
        store: Where the directory lies.
        directory: Its key.
        tools: Caches, threads and limits.
        segments: Names the segments whose keys are listed; None: those that have an object in the directory.
        open_lister: Opens what lists the directory.
    """

    def __init__(
        self,
        store: ObjectStore,
        directory: str,
        tools: SegmentTools,
        segments: SegmentIds | None,
        open_lister: OpenLister,
    ) -> None:
        self._meshes = Reopening(partial(open_meshes, store, directory, tools))
        self._tools = tools
        self._segments = segments or ListedIds(open_lister, directory, self._object_names)

    async def get(self, key: str, /) -> Value | None:
        """As `Values.get`."""
        parsed = _parse(key)
        if parsed is None:
            return None
        meshes = await self._meshes.get()
        mesh = await meshes.read_mesh(parsed.segment_id, _FORMS[parsed.suffix], parsed.lod)
        if mesh is None:
            return None
        if parsed.lod is None and mesh.lod:
            log.info("mesh %s is served at level of detail %d: finer ones are too large", key, mesh.lod)
        return Value(mesh.data, mesh.lod)

    async def has(self, key: str, /) -> bool:
        """As `Values.has`; reads the manifest of a mesh at most.

        Whether a mesh has the level of detail that a key names is not looked up.
        """
        parsed = _parse(key)
        if parsed is None:
            return False
        meshes = await self._meshes.get()
        return await meshes.has_mesh(parsed.segment_id)

    async def keys(self, first: str, last: str | None, /) -> list[str]:
        """As `Values.keys`."""
        ids = await self._segments.ids()
        return await self._tools.run("keys", partial(list_keys, ids, tuple(_FORMS), first, last))

    def forget(self) -> None:
        """As `Values.forget`."""
        self._meshes.forget()

    async def _object_names(self) -> re.Pattern[str] | None:
        meshes = await self._meshes.get()
        return meshes.object_names


def _parse(key: str) -> SegmentKey | None:
    """Return the parts of the key of a mesh; None if it cannot be one."""
    parsed = parse_key(key)
    return parsed if parsed is not None and parsed.suffix in _FORMS else None
