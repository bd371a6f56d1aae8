"""Lists what S3 and Google buckets and directories hold, by obstore."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import Listed
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.files import SETTLE_S
from dvidpc.storage.object_checks import name_object

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore as Bucket

_PAGE = 1000
"""Objects listed at a time, which is what S3 and Google send."""
_ATTEMPTS = 3
_TIMEOUT_S = 60.0
"""For one page; of a directory the first takes as long as opening it."""
_STATUS = re.compile(r"status code: (\d{3})")
_CAUSES = {
    "kind: ConnectionRefused": "the connection is refused",
    "dns error": "its host name is not found",
    "InvalidCertificate": "its certificate is not trusted; ca_bundle names others to trust",
    "BareRedirect": "it redirects, as for a bucket of another region",
    "kind: Timeout": "it does not answer in time",
    "kind: Connect": "it cannot be reached",
}
"""For people only: what obstore's text may hold, and what to say of it. Nothing is decided by it."""


class BucketLister:
    """A `Lister` over one of obstore's stores."""

    def __init__(
        self,
        bucket: "Bucket",
        *,
        url: str,
        prefix: str,
        credentials: Credentials | None = None,
        suffixes: Mapping[str, str] | None = None,
    ) -> None:
        """List what lies below *prefix* of *bucket*.

        Args:
            bucket: Does no retries of its own.
            url: How messages name the place.
            prefix: Without a `/` at either end.
            credentials: What *bucket* signs with; closed with this store. None: it does not sign.
            suffixes: What is left out of names that end in it.
        """
        self._bucket: Bucket | None = bucket
        self._url = url
        self._prefix = f"{prefix}/" if prefix else ""
        self._credentials = credentials
        self._suffixes = suffixes or {}

    async def list_below(self, directory: str) -> AsyncIterator[list[Listed]]:
        """As `Lister.list_below`; a page that fails is asked for again by listing on from the one before."""
        place = f"{self._prefix}{directory}".strip("/")
        name = name_object(self._url, directory)
        last, failures = None, 0
        while True:
            try:
                async for page in self._pages(place, last):
                    yield [self._listed(place, entry) for entry in page]
                    last, failures = page[-1]["path"], 0
            except (BaseError, OSError, TimeoutError) as error:
                if status := _refusal_of(error):
                    raise StoreRefusedError(
                        f"{name} cannot be listed: the credentials may not list ({status})", status
                    ) from error
                failures += 1
                if failures == _ATTEMPTS or isinstance(self._bucket, LocalStore):
                    raise StoreError(f"{name} cannot be listed: {_explain(error)}") from error
            else:
                return

    async def _pages(self, place: str, last: str | None) -> "AsyncIterator[Sequence[ObjectMeta]]":
        """What the service lists, behind the object *last* where it lists in order."""
        if self._bucket is None:
            raise StoreError(f"{self._url} cannot be listed: the store is closed")
        stream = obstore.list(self._bucket, place or None, offset=last, chunk_size=_PAGE)
        while True:
            if self._credentials is not None:
                await self._credentials.ensure()
            async with asyncio.timeout(_TIMEOUT_S):
                page = await anext(stream, None)
            if page is None:
                return
            yield page

    def _listed(self, place: str, entry: "ObjectMeta") -> Listed:
        name = entry["path"].removeprefix(place).lstrip("/")
        stem, dot, suffix = name.rpartition(".")
        return Listed(stem if f"{dot}{suffix}" in self._suffixes else name, entry["size"])

    async def close(self) -> None:
        """Drop obstore's store, and with it its connections."""
        self._bucket = None
        await asyncio.sleep(SETTLE_S)
        if self._credentials is not None:
            await self._credentials.close()


def _refusal_of(error: Exception) -> int | None:
    """The status of a refusal to list; None if it is none. obstore has types for refused objects only."""
    if isinstance(error, PermissionDeniedError):
        return 403
    if isinstance(error, UnauthenticatedError):
        return 401
    if isinstance(error, GenericError) and (found := _STATUS.search(str(error))):
        return int(found[1]) if found[1] in {"401", "403"} else None
    return None


def _explain(error: Exception) -> str:
    """What went wrong, in our words: obstore's text is long and may quote what the service said."""
    text = str(error)
    if status := _STATUS.search(text):
        return f"the service answers {status[1]}"
    for mark, meaning in _CAUSES.items():
        if mark in text:
            return meaning
    return f"{type(error).__name__} of the service or the connection to it"
