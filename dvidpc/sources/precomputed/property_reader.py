"""Reads the segment properties of a volume when they are first needed, and keeps them parsed."""

from dataclasses import dataclass
from functools import partial

from dvidpc.cache.loading_cache import MISSING
from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.segment_properties import (
    MAX_PROPERTIES_SIZE,
    SegmentProperties,
    parse_segment_properties,
)
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.location import INFO_KEY
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Comparison, Version, compare
from dvidpc.types import ByteRange


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Properties, and the version of the document that holds them."""

    properties: SegmentProperties
    version: Version

    @property
    def nbytes(self) -> int:
        return self.properties.nbytes


class PropertyReader:
    """Reads the segment properties of one volume.

    Args:
        store: Where their directory lies.
        directory: Its key.
        tools: Caches and threads.
    """

    def __init__(self, store: ObjectStore, directory: str, tools: SegmentTools) -> None:
        self._store = store
        self._key = resolve_key(directory, INFO_KEY)
        self._name = name_object(store.url, self._key)
        self._cache_key = (store.identity, self._key, "segment properties")
        self._tools = tools

    async def load(self) -> SegmentProperties:
        """Return the properties; the document is parsed again only if it has changed.

        Raises:
            FormatError: The document is missing, malformed or too large; the message names it.
            StoreError: The bucket failed.
        """
        parsed = await self._tools.documents.get_or_load(self._cache_key, self._parse)
        return parsed.properties

    async def _parse(self) -> _Parsed:
        known = self._tools.documents.last_known(self._cache_key)
        if known is not MISSING and isinstance(known, _Parsed) and await self._is_current(known):
            return known
        blob = await self._store.get(self._key, max_size=MAX_PROPERTIES_SIZE)
        if blob is None:
            raise FormatError(f"{self._name} does not exist")
        properties = await self._tools.run(self._name, partial(parse_segment_properties, blob.data))
        return _Parsed(properties, blob.version)

    async def _is_current(self, known: _Parsed) -> bool:
        if known.version.etag is None:
            return False
        first_byte = await self._store.get_range(self._key, ByteRange(0, 1))
        return first_byte is not None and compare(known.version, first_byte.version) is Comparison.SAME
