"""The label index of a volume, as long as it fits the volume, and otherwise why it cannot be used."""

import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import DvidpcError, FormatError, LabelIndexError
from dvidpc.index.index_info import IndexInfo
from dvidpc.index.label_index_reader import LabelIndexReader, find_mismatch, load_index_info
from dvidpc.sources.plan import Metadata, VolumePlan
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object

log = logging.getLogger(__name__)

OpenIndexStore = Callable[[], Awaitable[tuple[ObjectStore, str]]]
"""Opens the store of a label index; returns it with the directory of the index."""


class VolumeIndex:
    """A label index as it was found when it was last looked at.

    Args:
        reader: Reads it; None if it cannot be read.
        problem: Why it cannot be used; None if it can.
    """

    def __init__(self, reader: LabelIndexReader | None, problem: str | None) -> None:
        self._reader = reader
        self._found = problem
        self._problem = problem

    @property
    def info(self) -> IndexInfo | None:
        """Its `info`; None if it cannot be used."""
        return None if self._reader is None or self._problem is not None else self._reader.info

    @property
    def problem(self) -> str | None:
        """Why it cannot be used as a whole or in part; None if no reason is known."""
        return self._problem or (self._reader.damage if self._reader is not None else None)

    def reader(self) -> LabelIndexReader:
        """Return what reads the index.

        Raises:
            LabelIndexError: It cannot be used.
        """
        if self._problem is not None or self._reader is None:
            raise LabelIndexError(self._problem or "the label index was not read yet")
        return self._reader

    def condemn(self, problem: str) -> LabelIndexError:
        """Use the index no more: it contradicts the volume. Return the error to raise."""
        if self._problem is None:
            log.error("%s; build the label index again", problem)
        self._problem = problem
        return LabelIndexError(problem)

    @property
    def found(self) -> tuple[IndexInfo | None, str | None]:
        """What a look at the index found, whatever was found since."""
        return None if self._reader is None else self._reader.info, self._found

    def forgive(self) -> None:
        """Forget damage that was found: the next request finds it again, unless it was repaired."""
        if self._reader is not None:
            self._reader.damage = None


class IndexSource:
    """Where the label index of a volume lies; opened on the first look at it.

    Args:
        alias: The alias of the volume's store.
        open_store: Opens the store of the index.
        cache: Keeps its parts.
        pool: Decodes.
    """

    def __init__(self, alias: str, open_store: OpenIndexStore, cache: LoadingCache, pool: Executor) -> None:
        self._alias = alias
        self._open_store = open_store
        self._cache = cache
        self._pool = pool
        self._opened: tuple[ObjectStore, str] | None = None
        self._last: tuple[Metadata, VolumePlan, VolumeIndex] | None = None

    @property
    def problem(self) -> str | None:
        """Why the index cannot be used as a whole or in part; None if no reason is known."""
        return None if self._last is None else self._last[2].problem

    @property
    def info(self) -> IndexInfo | None:
        """Its `info`; None if it cannot be used."""
        return None if self._last is None else self._last[2].info

    async def look(self, metadata: Metadata, plan: VolumePlan) -> VolumeIndex:
        """Return the index as it is now, compared with its volume; log why it cannot be used.

        Args:
            metadata: The volume's metadata.
            plan: Its plan.
        """
        index = await self._look(metadata, plan)
        if index.problem is not None:
            log.error("store %s: %s", self._alias, index.problem)
        self._last = metadata, plan, index
        return index

    async def is_unchanged(self) -> bool:
        """Return whether another look at the index finds what the last one did."""
        if self._last is None:
            return False
        metadata, plan, index = self._last
        if (await self._look(metadata, plan)).found != index.found:
            return False
        index.forgive()
        return True

    async def close(self) -> None:
        """Close the store."""
        if self._opened is not None:
            store, _ = self._opened
            self._opened = None
            await store.close()

    async def _look(self, metadata: Metadata, plan: VolumePlan) -> VolumeIndex:
        try:
            if self._opened is None:
                self._opened = await self._open_store()
            store, directory = self._opened
            info = await load_index_info(store, directory)
        except FormatError as error:
            return VolumeIndex(None, f"the label index cannot be used: {error}")
        except DvidpcError as error:
            return VolumeIndex(None, f"the label index cannot be read: {error}")
        reader = LabelIndexReader(store, directory, info, self._cache, self._pool)
        mismatch = find_mismatch(info, metadata.data, plan.scales[0].box)
        place = name_object(store.url, directory)
        problem = mismatch and f"the label index {place} does not fit the volume: {mismatch}"
        return VolumeIndex(reader, problem)
