"""Reads the table of a label index by ranges: the voxels, blocks and extent of labels."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.errors import FormatError
from dvidpc.index.layout import table_key
from dvidpc.index.size_table import LABEL_ROW, Rows, TablePart, decode_directory, decode_page
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange

_AT_A_TIME: Final = 16
"""Pages of one request that are read at a time."""


_OFF_LOOP_LABELS: Final = 4096
"""Labels from which a list is sorted in a thread."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Rows or a directory in the cache."""

    rows: Rows

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes


class TableReader:
    """Reads one table.

    Args:
        store: Where the index lies.
        directory: Its key.
        parts: The parts of the table.
        cache: Keeps pages; may serve many readers.
    """

    def __init__(
        self, store: ObjectStore, directory: str, parts: tuple[TablePart, ...], cache: LoadingCache
    ) -> None:
        self._store = store
        self._directory = directory
        self._parts = parts
        self._lasts = [part.last for part in parts]
        self._cache = cache

    async def find(self, label: int) -> Rows | None:
        """Return the row of *label*, an array of one; None if the volume does not have it.

        Raises:
            FormatError: The table is damaged.
            StoreError: The bucket failed.
        """
        part = bisect_left(self._lasts, label)
        if part == len(self._parts) or label < self._parts[part].first:
            return None
        rows = await self._page(part, await self._page_of(part, label))
        at = int(rows["label"].searchsorted(np.uint64(label)))
        return rows[at : at + 1] if at < len(rows) and int(rows["label"][at]) == label else None

    async def find_all(self, labels: NDArray[np.uint64]) -> Rows:
        """Return the rows of *labels*, in their order; zeros for a label that the volume does not have.

        Raises:
            FormatError: The table is damaged.
            StoreError: The bucket failed.
        """
        found = np.zeros(len(labels), LABEL_ROW)
        order = await _sort(labels)
        ascending = labels[order]
        turns = asyncio.Semaphore(_AT_A_TIME)

        async def look_up(part: int, page: int, which: slice) -> None:
            async with turns:
                rows = await self._page(part, page)
            at = np.minimum(rows["label"].searchsorted(ascending[which]), len(rows) - 1)
            is_there = rows["label"][at] == ascending[which]
            found[order[which][is_there]] = rows[at[is_there]]

        for part, described in enumerate(self._parts):
            ends = np.array([described.first, described.last], np.uint64)
            start, stop = ascending.searchsorted(ends[0]), ascending.searchsorted(ends[1], side="right")
            if start == stop:
                continue
            firsts = (await self._pages(part))["first"]
            bounds = [*ascending.searchsorted(firsts).tolist(), int(stop)]
            spans = ((page, slice(*span)) for page, span in enumerate(pairwise(bounds)) if span[0] < span[1])
            await gather_or_cancel(look_up(part, page, which) for page, which in spans)
        return found

    async def rows_from(self, first: int, last: int) -> AsyncGenerator[Rows, None]:
        """Yield the rows of the labels from *first* to *last*, both inclusive, ascending, page by page.

        Raises:
            FormatError: The table is damaged.
            StoreError: The bucket failed.
        """
        for part in range(bisect_left(self._lasts, first), len(self._parts)):
            if self._parts[part].first > last:
                return
            start = await self._page_of(part, first) if first > self._parts[part].first else 0
            for page in range(start, self._parts[part].pages):
                rows = await self._page(part, page)
                begin, end = rows["label"].searchsorted(np.array([first, last], np.uint64))
                end += int(end < len(rows) and int(rows["label"][end]) == last)
                if begin < end:
                    yield rows[begin:end]
                if end < len(rows):
                    return

    async def _page_of(self, part: int, label: int) -> int:
        """Return the page that holds *label*, which lies between the part's first label and its last."""
        directory = await self._pages(part)
        return int(directory["first"].searchsorted(np.uint64(label), side="right")) - 1

    async def _pages(self, part: int) -> Rows:
        """Return the directory of a part."""
        described = self._parts[part]
        return await self._read(part, -1, described.directory, lambda data: decode_directory(data, described))

    async def _page(self, part: int, page: int) -> Rows:
        key = self._key(part, page)
        kept = self._cache.peek(key)
        if kept is not MISSING:
            assert isinstance(kept, _Kept)
            return kept.rows
        directory = await self._pages(part)
        crc32 = int(directory["crc32"][page])
        return await self._read(
            part, page, self._parts[part].page(page), lambda data: decode_page(data, crc32)
        )

    async def _read(self, part: int, page: int, where: ByteRange, decode: Callable[[bytes], Rows]) -> Rows:
        """Return a page of a part, or its directory, which is page -1."""
        key = self._object_key(part)

        async def load() -> _Kept:
            blob = await self._store.get_range(key, where)
            name = name_object(self._store.url, key)
            if blob is None:
                raise FormatError(f"{name} does not exist")
            try:
                return _Kept(decode(blob.data))
            except FormatError as error:
                raise FormatError(f"{name}: {error}") from error

        kept = await self._cache.get_or_load(self._key(part, page), load)
        return kept.rows

    def _key(self, part: int, page: int) -> tuple[str, str, int, int]:
        """Return the key of a page in the cache; the checksum tells one table from the next at its place."""
        return self._store.identity, self._object_key(part), self._parts[part].crc32, page

    def _object_key(self, part: int) -> str:
        return f"{self._directory}/{table_key(part)}" if self._directory else table_key(part)


async def _sort(labels: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the order in which labels ascend."""
    if len(labels) < _OFF_LOOP_LABELS:
        return np.argsort(labels, kind="stable")
    return await asyncio.to_thread(np.argsort, labels, kind="stable")
