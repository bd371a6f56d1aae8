"""Lists buckets page by page, and retries pages that fail."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple, Protocol

from dvidpc.errors import StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import Listed
from dvidpc.storage.object_checks import name_object

PAGE_SIZE: Final = 1000
"""Objects per page; S3 and Google send no more."""
PAGE_TIMEOUT_S: Final = 60.0
_ATTEMPTS: Final = 3


class StoredObject(NamedTuple):
    """An object as the service lists it."""

    key: str
    """From the root of the bucket."""
    size: int


class PageSource(Protocol):
    """Lists a bucket by one vendor's library, without retries."""

    def pages(self, name: str, prefix: str, after: str | None) -> AsyncIterator[Sequence[StoredObject]]:
        """Return the objects whose key starts with *prefix*, in the order of their keys, page by page.

        Args:
            name: How errors name the directory.
            prefix: Empty for the whole bucket.
            after: Begin after this key; None to begin at the first.

        Raises:
            StoreError: A page failed or was refused.
        """

    async def close(self) -> None:
        """Release connections and credentials."""


class BucketLister:
    """A `Lister` over a bucket."""

    def __init__(self, source: PageSource, *, url: str, prefix: str) -> None:
        """List objects below *prefix*.

        Args:
            source: Lists the bucket; closed with this lister.
            url: How messages name bucket and prefix.
            prefix: Without a `/` at either end.
        """
        self._source = source
        self._url = url
        self._prefix = f"{prefix}/" if prefix else ""
        self._closed = False

    async def list_below(self, directory: str) -> AsyncIterator[list[Listed]]:
        """As `Lister.list_below`. After a failure, the listing resumes behind the last object returned."""
        name = name_object(self._url, directory)
        place = f"{self._prefix}{directory}".strip("/")
        prefix = f"{place}/" if place else ""
        last, failures = None, 0
        while True:
            try:
                async with aclosing(self._pages_in_time(name, prefix, last)) as pages:
                    async for page in pages:
                        if page:
                            last, failures = page[-1].key, 0
                            yield _relative(prefix, page)
            except StoreRefusedError:
                raise
            except StoreError:
                failures += 1
                if failures == _ATTEMPTS:
                    raise
            else:
                return

    async def close(self) -> None:
        """Close the source."""
        self._closed = True
        await self._source.close()

    async def _pages_in_time(
        self, name: str, prefix: str, after: str | None
    ) -> AsyncGenerator[Sequence[StoredObject], None]:
        if self._closed:
            raise StoreError(f"{name} cannot be listed: the store is closed")
        pages = self._source.pages(name, prefix, after)
        while True:
            try:
                async with asyncio.timeout(PAGE_TIMEOUT_S):
                    page = await anext(pages, None)
            except TimeoutError as error:
                raise StoreTimeoutError(
                    f"{name} cannot be listed: no page arrived within {PAGE_TIMEOUT_S:g} s"
                ) from error
            if page is None:
                return
            yield page


def _relative(prefix: str, page: Sequence[StoredObject]) -> list[Listed]:
    """Return the page with names relative to *prefix*; an object named like the directory is left out."""
    return [Listed(entry.key.removeprefix(prefix), entry.size) for entry in page if entry.key != prefix]
