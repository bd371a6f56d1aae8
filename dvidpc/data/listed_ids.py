"""The segments that have an object in a directory, found by listing it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from dvidpc.data.reopening import Reopening
from dvidpc.data.segment_keys import check_count
from dvidpc.errors import RequestError, StoreRefusedError
from dvidpc.storage.base import Lister, OpenLister

MAX_OBJECTS: Final = 100_000
"""Objects beyond which a directory is not listed; a hundred pages take some seconds."""

_REFUSAL: Final = "keys cannot be listed: the volume has no segment properties, and"


class ListedIds:
    """The segments that have an object in a directory; the list is kept for a minute.

    Args:
        open_lister: Opens what lists the store.
        directory: The key of the directory.
        object_names: Returns which objects count, with the id as the first group of the pattern; None if
            segments have no objects of their own.
    """

    def __init__(
        self,
        open_lister: OpenLister,
        directory: str,
        object_names: Callable[[], Awaitable[re.Pattern[str] | None]],
    ) -> None:
        self._open_lister = open_lister
        self._directory = directory
        self._object_names = object_names
        self._listed = Reopening(self._list_or_refuse)

    async def ids(self) -> Sequence[int]:
        """As `SegmentIds.ids`."""
        listed = await self._listed.get()
        if isinstance(listed, RequestError):
            raise RequestError(str(listed))
        return listed

    async def _list_or_refuse(self) -> Sequence[int] | RequestError:
        """Return a refusal as a value, so that it is kept for a minute too."""
        try:
            return await self._list()
        except RequestError as error:
            return error

    async def _list(self) -> Sequence[int]:
        names = await self._object_names()
        if names is None:
            raise RequestError(f"{_REFUSAL} its shards hold many segments each")
        lister = await self._open_lister()
        if lister is None:
            raise RequestError(f"{_REFUSAL} a web server has no lists")
        try:
            return await _list_ids(lister, self._directory, names)
        except StoreRefusedError as error:
            raise RequestError(f"{_REFUSAL} the store refuses to list: {error}") from error
        finally:
            await lister.close()


async def _list_ids(lister: Lister, directory: str, names: re.Pattern[str]) -> list[int]:
    ids: list[int] = []
    count = 0
    async for page in lister.list_below(directory):
        count += len(page)
        if count > MAX_OBJECTS:
            raise RequestError(f"{_REFUSAL} its directory has more than {MAX_OBJECTS} objects, the limit")
        ids += [int(name[1]) for name in map(names.fullmatch, (each.name for each in page)) if name]
    check_count(len(ids))
    return ids
