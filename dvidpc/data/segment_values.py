"""The meshes and skeletons of a segmentation as values by key.

* Meshes: `<id>.ngmesh`, `<id>.drc`, `<id>.obj`; `<id>_<lod>.ngmesh` names a level of detail, as NeuTu does.
* Skeletons: `<id>_swc`.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final, Generic, Protocol, TypeVar

from dvidpc.data.keyvalue import Value
from dvidpc.data.listed_ids import ListedIds
from dvidpc.data.reopening import Reopening
from dvidpc.data.segment_keys import SegmentIds, SegmentKey, list_keys, parse_key
from dvidpc.formats.dvid.mesh_forms import MeshForm
from dvidpc.sources.precomputed.mesh_reader import MeshReader, open_meshes
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.sources.precomputed.skeleton_reader import SkeletonReader, open_skeletons
from dvidpc.storage.base import ObjectStore, OpenLister

log = logging.getLogger(__name__)


class _Reader(Protocol):
    """Reads the values of one directory."""

    @property
    def object_names(self) -> re.Pattern[str] | None:
        """The names of the objects that hold a value each, the id as the first group; None if none does."""


R = TypeVar("R", bound=_Reader)


@dataclass(frozen=True, slots=True)
class ValueKind(Generic[R]):
    """What the keys of one kind of values look like, and how the values are read."""

    suffixes: tuple[str, ...]
    has_lods: bool
    """Whether keys can name a level of detail."""
    open: Callable[[ObjectStore, str, SegmentTools], Awaitable[R]]
    read: Callable[[R, SegmentKey], Awaitable[Value | None]]
    has: Callable[[R, int], Awaitable[bool]]
    """Returns whether a segment has a value; reads as little as it can."""

    def parse(self, key: str) -> SegmentKey | None:
        """Return the parts of *key*; None if no value can have it."""
        parsed = parse_key(key)
        if parsed is None or parsed.suffix not in self.suffixes:
            return None
        return parsed if self.has_lods or parsed.lod is None else None


class SegmentValues(Generic[R]):
    """`Values` of the segments that one directory holds something about.

    Args:
        kind: What it holds.
        store: Where the directory lies.
        directory: Its key.
        tools: Caches, threads and limits.
        segments: Names the segments whose keys are listed; None: those that have an object in the directory.
        open_lister: Opens what lists the directory.
    """

    def __init__(
        self,
        kind: ValueKind[R],
        store: ObjectStore,
        directory: str,
        tools: SegmentTools,
        segments: SegmentIds | None,
        open_lister: OpenLister,
    ) -> None:
        self._kind = kind
        self._reader = Reopening(partial(kind.open, store, directory, tools))
        self._tools = tools
        self._segments = segments or ListedIds(open_lister, directory, self._object_names)

    async def get(self, key: str, /) -> Value | None:
        """As `Values.get`."""
        parsed = self._kind.parse(key)
        return None if parsed is None else await self._kind.read(await self._reader.get(), parsed)

    async def has(self, key: str, /) -> bool:
        """As `Values.has`; whether a mesh has the level of detail that a key names is not looked up."""
        parsed = self._kind.parse(key)
        return parsed is not None and await self._kind.has(await self._reader.get(), parsed.segment_id)

    async def keys(self, first: str, last: str | None, /) -> list[str]:
        """As `Values.keys`."""
        ids = await self._segments.ids()
        return await self._tools.run("keys", partial(list_keys, ids, self._kind.suffixes, first, last))

    async def prepare(self) -> None:
        """As `Values.prepare`."""
        await self._reader.prepare()

    def forget(self) -> None:
        """As `Values.forget`."""
        self._reader.forget()

    async def _object_names(self) -> re.Pattern[str] | None:
        return (await self._reader.get()).object_names


_FORMS: Final[Mapping[str, MeshForm]] = MappingProxyType({f".{form}": form for form in MeshForm})


async def _read_mesh(meshes: MeshReader, key: SegmentKey) -> Value | None:
    mesh = await meshes.read_mesh(key.segment_id, _FORMS[key.suffix], key.lod)
    if mesh is None:
        return None
    if key.lod is None and mesh.lod:
        log.info(
            "mesh of segment %d is served at level of detail %d: finer ones are too large",
            key.segment_id,
            mesh.lod,
        )
    return Value(mesh.data, mesh.lod)


async def _read_skeleton(skeletons: SkeletonReader, key: SegmentKey) -> Value | None:
    swc = await skeletons.read_swc(key.segment_id)
    return None if swc is None else Value(swc)


MESHES: Final = ValueKind(
    suffixes=tuple(_FORMS), has_lods=True, open=open_meshes, read=_read_mesh, has=MeshReader.has_mesh
)
SKELETONS: Final = ValueKind(
    suffixes=("_swc",),
    has_lods=False,
    open=open_skeletons,
    read=_read_skeleton,
    has=SkeletonReader.has_skeleton,
)
