"""Open a reader when it is first needed, and again some time later, in case its documents were rewritten."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, StoreError

R = TypeVar("R")

REOPEN_AFTER_S: Final = 60.0
"""How long a reader is used before its documents are read again."""

_KEY: Final = "reader"
_MAX_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class _Opened(Generic[R]):
    """A reader; the cache counts no bytes for it."""

    reader: R


class Reopening(Generic[R]):
    """A reader that is opened on demand. Concurrent requests share one attempt, and a failure is retried.

    While the bucket is down, the reader that was opened before is used.

    Args:
        open_reader: Opens it.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, open_reader: Callable[[], Awaitable[R]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_reader = open_reader
        self._opened = LoadingCache(_MAX_BYTES, absence_ttl_s=0, clock=clock, fresh_s=REOPEN_AFTER_S)

    async def get(self) -> R:
        """Return the reader.

        Raises:
            FormatError: A document is malformed or does not exist.
            StoreError: The bucket failed.
        """
        self._opened.expire()
        opened = await self._opened.get_or_load(_KEY, self._open)
        return opened.reader

    async def prepare(self) -> None:
        """Open the reader, or open it again, before it is needed; a failure is left to the next request."""
        share = self._opened.begin(_KEY, self._open)
        try:
            with suppress(FormatError, StoreError):
                await share.value()
        finally:
            share.give_up()

    def forget(self) -> None:
        """Open the reader again for the next request."""
        self._opened.drop(_KEY)

    async def _open(self) -> _Opened[R]:
        return _Opened(await self._open_reader())
