"""The skeletons of a segmentation as values by key: `<id>_swc`."""

import re
from functools import partial
from typing import Final

from dvidpc.data.keyvalue import Value
from dvidpc.data.listed_ids import ListedIds
from dvidpc.data.reopening import Reopening
from dvidpc.data.segment_keys import SegmentIds, list_keys, parse_key
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.sources.precomputed.skeleton_reader import open_skeletons
from dvidpc.storage.base import ObjectStore, OpenLister

_SUFFIX: Final = "_swc"


class SkeletonValues:
    """`Values` of the skeletons in one directory.

    Args:
        store: Where the directory lies.
        directory: Its key.
        tools: Caches and threads.
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
        self._skeletons = Reopening(partial(open_skeletons, store, directory, tools))
        self._tools = tools
        self._segments = segments or ListedIds(open_lister, directory, self._object_names)

    async def get(self, key: str, /) -> Value | None:
        """As `Values.get`."""
        segment_id = _parse(key)
        if segment_id is None:
            return None
        skeletons = await self._skeletons.get()
        swc = await skeletons.read_swc(segment_id)
        return None if swc is None else Value(swc)

    async def has(self, key: str, /) -> bool:
        """As `Values.has`."""
        segment_id = _parse(key)
        if segment_id is None:
            return False
        skeletons = await self._skeletons.get()
        return await skeletons.has_skeleton(segment_id)

    async def keys(self, first: str, last: str | None, /) -> list[str]:
        """As `Values.keys`."""
        ids = await self._segments.ids()
        return await self._tools.run("keys", partial(list_keys, ids, (_SUFFIX,), first, last))

    def forget(self) -> None:
        """As `Values.forget`."""
        self._skeletons.forget()

    async def _object_names(self) -> re.Pattern[str] | None:
        skeletons = await self._skeletons.get()
        return skeletons.object_names


def _parse(key: str) -> int | None:
    """Return the segment that the key of a skeleton names; None if it cannot be one."""
    parsed = parse_key(key)
    if parsed is None or parsed.suffix != _SUFFIX or parsed.lod is not None:
        return None
    return parsed.segment_id
