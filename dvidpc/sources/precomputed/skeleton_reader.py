"""Reads the skeletons of segments as SWC."""

import re
from functools import partial
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.swc import encode_swc
from dvidpc.formats.precomputed.side_documents import MAX_SIDE_INFO_SIZE
from dvidpc.formats.precomputed.skeleton import (
    MAX_SKELETON_SIZE,
    SkeletonInfo,
    decode_skeleton,
    parse_skeleton_info,
)
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.keyed_reader import KeyedReader
from dvidpc.sources.precomputed.location import INFO_KEY
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object

_NAMES: Final = re.compile(r"(0|[1-9][0-9]{0,19})", re.ASCII)


class SkeletonReader:
    """Reads the skeletons of one volume.

    Args:
        store: Where their directory lies.
        directory: Its key.
        info: The content of its `info`.
        tools: Caches, threads and the size of a voxel.
    """

    def __init__(self, store: ObjectStore, directory: str, info: SkeletonInfo, tools: SegmentTools) -> None:
        self._info = info
        self._tools = tools
        self._skeletons = KeyedReader(store, directory, info.sharding, tools.indexes)

    @property
    def object_names(self) -> re.Pattern[str] | None:
        """The names of the objects that hold a skeleton each, the id as the first group; None if sharded."""
        return _NAMES if self._info.sharding is None else None

    async def read_swc(self, segment_id: int) -> bytes | None:
        """Return the skeleton of a segment as SWC, in scale-0 voxels; None if it has none, or an empty one.

        Raises:
            FormatError: Stored bytes are malformed; the message names the object.
            StoreError: The bucket failed; whether there is a skeleton is not known.
        """
        data = await self._skeletons.read(segment_id, MAX_SKELETON_SIZE)
        if data is None:
            return None
        return await self._tools.run(self._skeletons.describe(segment_id), partial(self._convert, data))

    async def has_skeleton(self, segment_id: int) -> bool:
        """Return whether a skeleton is stored; reads no more than `KeyedReader.contains` does.

        Raises:
            FormatError: An index is malformed.
            StoreError: The bucket failed.
        """
        return await self._skeletons.contains(segment_id, MAX_SKELETON_SIZE)

    def _convert(self, data: bytes) -> bytes | None:
        skeleton = decode_skeleton(data, self._info)
        if not len(skeleton.vertices):
            return None
        return encode_swc(skeleton, self._info.transform, self._tools.voxel_size_nm)


async def open_skeletons(store: ObjectStore, directory: str, tools: SegmentTools) -> SkeletonReader:
    """Return a reader of the skeletons in *directory*, after reading its `info`.

    Raises:
        FormatError: The `info` is missing or malformed; the message names it.
        StoreError: The bucket failed.
    """
    key = resolve_key(directory, INFO_KEY)
    blob = await store.get(key, max_size=MAX_SIDE_INFO_SIZE)
    if blob is None:
        raise FormatError(f"{name_object(store.url, key)} does not exist")
    try:
        info = parse_skeleton_info(blob.data)
    except FormatError as error:
        raise FormatError(f"{name_object(store.url, key)}: {error}") from error
    return SkeletonReader(store, directory, info, tools)
