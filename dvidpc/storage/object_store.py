"""Reads objects by obstore: from S3, Google Cloud Storage, directories and memory."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    BaseError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore

from dvidpc.errors import (
    FormatError,
    ObjectChangedError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from dvidpc.storage.answers import check_etag, check_size, if_match, name_object, undo_encoding
from dvidpc.storage.base import Blob, Listed
from dvidpc.storage.credentials import Credentials
from dvidpc.types import ByteRange

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import ObjectStore as Bucket

_SETTLE_S = 0.05
"""An obstore thread that has handed over a result still waits for the interpreter's lock, to return from
`call_soon_threadsafe`; if the interpreter ends before, that thread aborts the process. Seen in 1 of 15 short
processes without this pause, during which the lock is free."""
_PAGE = 1000
"""Objects listed at a time, which is what S3 and Google send."""
_LIST_ATTEMPTS = 3
_LIST_TIMEOUT_S = 60.0
"""For one page; of a directory the first takes as long as opening it."""
_STATUS = re.compile(r"status code: (\d{3})")
_CAUSES = {
    "kind: ConnectionRefused": "the connection is refused",
    "dns error": "its host name is not found",
    "InvalidCertificate": "its certificate is not trusted; ca_bundle names others to trust",
    "BareRedirect": "it redirects, as for a bucket of another region",
    "Received non-partial response": "it sends more than the range asked for",
    "kind: Timeout": "it does not answer in time",
    "kind: Connect": "it cannot be reached",
}
"""For people only: what obstore's text may hold, and what to say of it. Nothing is decided by it."""


class BucketStore:
    """An `ObjectStore` over one of obstore's stores."""

    def __init__(
        self,
        bucket: "Bucket",
        *,
        url: str,
        prefix: str,
        missing_status: frozenset[int],
        first_byte_timeout_s: float,
        credentials: Credentials | None = None,
        suffixes: Mapping[str, str] | None = None,
    ) -> None:
        """Read what lies below *prefix* of *bucket*.

        Args:
            bucket: Does no retries of its own.
            url: How messages name the place.
            prefix: Without a `/` at either end.
            missing_status: HTTP statuses that mean "no such object"; obstore tells 401, 403 and 404.
            first_byte_timeout_s: How long to wait for an answer to begin.
            credentials: What *bucket* signs with; closed with this store. None: it does not sign.
            suffixes: Other names to try for an absent object, and the encoding that each means.
        """
        self._bucket: Bucket | None = bucket
        self._url = url
        self._prefix = f"{prefix}/" if prefix else ""
        self._missing_status = missing_status
        self._first_byte_timeout_s = first_byte_timeout_s
        self._credentials = credentials
        self._suffixes = suffixes or {}

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        name = name_object(self._url, key)
        encoding = None
        result = await self._ask(name, key, {})
        for suffix, meaning in self._suffixes.items():
            if result is None:
                name, encoding = name_object(self._url, key + suffix), meaning
                result = await self._ask(name, key + suffix, {})
        if result is None:
            return None
        check_size(name, result.meta["size"], max_size)
        data = await self._read(name, result)
        encoding = encoding or result.attributes.get("Content-Encoding")
        return Blob(await undo_encoding(name, data, encoding, max_size=max_size), result.meta["e_tag"])

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As `ObjectStore.get_range`."""
        name = name_object(self._url, key)
        options: GetOptions = {"range": (byte_range.start, byte_range.stop)}
        if condition := if_match(etag):
            options["if_match"] = condition
        try:
            result = await self._ask(name, key, options)
        except StoreError as error:
            if _may_be_past_the_end(error.__cause__):
                await self._check_length(name, key, byte_range, etag)
            raise
        if result is None:
            return None
        check_etag(name, known=etag, found=result.meta["e_tag"])
        if tuple(result.range) != byte_range:
            raise _too_short(name, byte_range, result.meta["size"])
        return Blob(await self._read(name, result), result.meta["e_tag"])

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
                if failures == _LIST_ATTEMPTS or isinstance(self._bucket, LocalStore):
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
            async with asyncio.timeout(_LIST_TIMEOUT_S):
                page = await anext(stream, None)
            if page is None:
                return
            yield page

    def _listed(self, place: str, entry: "ObjectMeta") -> Listed:
        name = entry["path"].removeprefix(place).lstrip("/")
        stem, dot, suffix = name.rpartition(".")
        return Listed(stem if f"{dot}{suffix}" in self._suffixes else name, entry["size"])

    async def close(self) -> None:
        """Drop obstore's store, and with it its connections; end or cancel all reads before."""
        self._bucket = None
        await asyncio.sleep(_SETTLE_S)
        if self._credentials is not None:
            await self._credentials.close()

    async def _ask(self, name: str, key: str, options: "GetOptions") -> "GetResult | None":
        """The answer's head; None if there is no such object."""
        try:
            return await self._ask_signed(name, key, options)
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            status = _STATUSES[type(error)]
            if status in self._missing_status:
                return None
            raise StoreRefusedError(f"{name} cannot be read: {_REFUSALS[status]}", status) from error
        except PreconditionError as error:
            raise ObjectChangedError(
                f"{name} was replaced: its etag is not {options.get('if_match')}"
            ) from error
        except BaseError as error:
            raise StoreError(f"{name} cannot be read: {_explain(error)}") from error
        except ValueError as error:
            raise FormatError(f"{name} is no possible object") from error

    async def _ask_signed(self, name: str, key: str, options: "GetOptions") -> "GetResult":
        """Ask with the secret we have; if that is refused and there is another one, with that."""
        if self._credentials is None:
            return await self._ask_in_time(name, key, options)
        await self._credentials.ensure()
        generation = self._credentials.generation
        try:
            return await self._ask_in_time(name, key, options)
        except (PermissionDeniedError, UnauthenticatedError, GenericError) as error:
            if not (_may_be_expired(error) and await self._credentials.renew(generation)):
                raise
        return await self._ask_in_time(name, key, options)

    async def _ask_in_time(self, name: str, key: str, options: "GetOptions") -> "GetResult":
        if self._bucket is None:
            raise StoreError(f"{name} cannot be read: the store is closed")
        try:
            async with asyncio.timeout(self._first_byte_timeout_s):
                return await obstore.get_async(self._bucket, self._prefix + key, options=options)
        except TimeoutError as error:
            raise StoreTimeoutError(f"{name}: no answer within {self._first_byte_timeout_s:g} s") from error

    async def _read(self, name: str, result: "GetResult") -> bytes:
        """The body, which is as long as its head says; the caller has checked that."""
        start, stop = result.range
        try:
            if isinstance(self._bucket, LocalStore):
                data = bytes(await result.bytes_async())  # its stream takes ten times as long
            else:
                # `bytes_async` trusts a hostile server: a chunked body may go on beyond its Content-Length.
                data = await anext(result.stream(min_chunk_size=max(1, stop - start)), b"")
        except (BaseError, OSError) as error:
            raise StoreError(f"{name} cannot be read to its end: {_explain(error)}") from error
        if len(data) != stop - start:
            raise StoreError(f"{name} cannot be read: {len(data)} bytes come instead of {stop - start}")
        return data

    async def _check_length(self, name: str, key: str, byte_range: ByteRange, etag: str | None) -> None:
        """Raise what is wrong with a range that may lie beyond the object; return if nothing is."""
        result = await self._ask(name, key, {"head": True})
        if result is not None:
            check_etag(name, known=etag, found=result.meta["e_tag"])
            if result.meta["size"] < byte_range.stop:
                raise _too_short(name, byte_range, result.meta["size"])


_STATUSES: dict[type[Exception], int] = {
    FileNotFoundError: 404,
    PermissionDeniedError: 403,
    UnauthenticatedError: 401,
}
_REFUSALS = {
    401: "the service does not accept the credentials (401)",
    403: "the credentials may not read it, or it does not exist and they may not list (403); "
    "if that is how absence looks here, set missing_status = [403, 404]",
    404: "the service says it does not exist (404), which missing_status does not list",
}


def _too_short(name: str, byte_range: ByteRange, size: int) -> FormatError:
    return FormatError(
        f"{name} ends at byte {size}, before its bytes {byte_range.start}-{byte_range.stop} do"
    )


def _may_be_past_the_end(error: BaseException | None) -> bool:
    """Whether asking for the object's size is worth it: obstore has no type of its own for status 416."""
    return isinstance(error, GenericError) and any(mark in str(error) for mark in ("416", "StartTooLarge"))


def _refusal_of(error: Exception) -> int | None:
    """The status of a refusal to list, for which obstore has no type of its own; None if it is none."""
    status = _STATUSES.get(type(error))
    if status is None and isinstance(error, GenericError) and (found := _STATUS.search(str(error))):
        status = int(found[1])
    return status if status in {401, 403} else None


def _may_be_expired(error: BaseError) -> bool:
    """Whether looking for another secret is worth it: S3 says `ExpiredToken` with status 400."""
    return not isinstance(error, GenericError) or "ExpiredToken" in str(error)


def _explain(error: Exception) -> str:
    """What went wrong, in our words: obstore's text is long and may quote what the service said."""
    text = str(error)
    if status := _STATUS.search(text):
        return f"the service answers {status[1]}"
    for mark, meaning in _CAUSES.items():
        if mark in text:
            return meaning
    return f"{type(error).__name__} of the service or the connection to it"
