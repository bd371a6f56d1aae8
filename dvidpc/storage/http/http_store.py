"""Reads objects over HTTP: from S3, Google Cloud Storage and plain web servers. Follows no redirect."""

import logging
from collections.abc import Callable

import aiohttp

from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.storage.absence import Absences
from dvidpc.storage.base import Blob
from dvidpc.storage.content_encoding import gzip_of
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.http_errors import doubt_error_of, error_of
from dvidpc.storage.http.ranges import bytes_before, content_range_of
from dvidpc.storage.http.response_bodies import encoding_of, read_body, read_refusal
from dvidpc.storage.http.response_versions import read_version
from dvidpc.storage.http.service import Asking, HttpService, Refusal
from dvidpc.storage.http.tails import read_tail
from dvidpc.storage.object_checks import (
    check_size,
    check_version,
    if_match,
    name_object,
    too_short,
    undo_encoding,
)
from dvidpc.storage.versions import Comparison, Version, is_proven_same
from dvidpc.types import ByteRange

log = logging.getLogger(__name__)

_ABOUT_OBJECT = frozenset({200, 206, 412, 416})
"""Statuses that are about the object; all others are refusals."""
_WEB_PAGE = "; it is a web page, such as a login, or what the server sends for any missing file"


class HttpStore:
    """An `ObjectStore` over HTTP."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: HttpService,
        *,
        url: str,
        identity: str,
        missing_status: frozenset[int],
        ignore_etag: bool = False,
    ) -> None:
        """Read the objects of *service*.

        Args:
            session: Sends requests; closed with this store.
            service: Prepares requests; closed with this store.
            url: As `ObjectStore.url`.
            identity: As `ObjectStore.identity`.
            missing_status: HTTP statuses that mean "no such object".
            ignore_etag: Tell versions of an object apart by size and time only.
        """
        self._session = session
        self._service = service
        self._url = url
        self._identity = identity
        self._missing_status = missing_status
        self._ignore_etag = ignore_etag
        self._absences = Absences()
        self._trusts_if_match = True
        self._knows_suffixes = True
        self._has_answered = False
        self._oddity: str | None = None

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    @property
    def identity(self) -> str:
        """As `ObjectStore.identity`."""
        return self._identity

    @property
    def oddity(self) -> str | None:
        """As `ObjectStore.oddity`: whether one object has several etags."""
        return self._oddity

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """As `ObjectStore.on_retracted`."""
        self._absences.on_retracted(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As `ObjectStore.get`."""
        name = name_object(self._url, key)
        with translate_connection_errors(name):
            response = await self._ask(
                name, key, {"Accept-Encoding": "gzip, br, zstd"}, is_metadata=is_metadata
            )
            if response is None:
                return None
            async with response:
                if response.status != 200:
                    raise error_of(name, Refusal(response.status, response.headers))
                check_size(name, response.content_length or 0, max_size)
                stored = await read_body(response, max_size + 1)
                check_size(name, len(stored), max_size)
        encoding = encoding_of(response)
        data = await undo_encoding(name, stored, encoding, max_size=max_size)
        return Blob(data, self._version_of(response), gzip_of(stored, encoding, data))

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As `ObjectStore.get_range`.

        If the server sends the whole object instead, it is read only if the range ends within twice its size.
        """
        name = name_object(self._url, key)
        known = version or Version()
        headers = {"Range": f"bytes={byte_range.start}-{byte_range.stop - 1}", "Accept-Encoding": "identity"}
        condition = if_match(known.etag) if self._trusts_if_match else None
        with translate_connection_errors(name):
            response = await self._ask(
                name, key, {**headers, "If-Match": condition} if condition else headers
            )
            is_refused = response is not None and response.status == 412
            if response is not None and is_refused:
                response.release()  # the service may be wrong: compare what it has
                response = await self._ask(name, key, headers)
            if response is None:
                return None
            async with response:
                found = self._version_of(response)
                self._compare(name, known, found, is_refused=is_refused)
                if response.status == 416:
                    raise FormatError(f"{name} ends before its bytes {byte_range.start}-{byte_range.stop} do")
                return Blob(await _read_range(name, response, byte_range), found)

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As `ObjectStore.get_tail`.

        A server that does not understand suffix ranges is asked for the object's size instead, here and
        from then on: two requests for each tail.
        """
        name = name_object(self._url, key)
        if self._knows_suffixes:
            headers = {"Range": f"bytes=-{size}", "Accept-Encoding": "identity"}
            with translate_connection_errors(name):
                response = await self._ask(name, key, headers)
                if response is None:
                    return None
                async with response:
                    data = await read_tail(name, response, size)
                    if data is not None:
                        return Blob(data, self._version_of(response))
            self._knows_suffixes = False
        return await self._get_tail_by_size(name, key, size)

    async def close(self) -> None:
        """Close the connections and release the credentials."""
        await self._session.close()
        await self._service.close()

    async def _get_tail_by_size(self, name: str, key: str, size: int) -> Blob | None:
        first = await self.get_range(key, ByteRange(0, 1))
        if first is None:
            return None
        length = first.version.size
        if length is None:
            raise StoreError(
                f"{name} cannot be read from its end: the server understands no suffix range and does not "
                "say how large it is"
            )
        if length < size:
            raise too_short(name, length, size)
        return await self.get_range(key, ByteRange(length - size, length), version=first.version)

    def _version_of(self, response: aiohttp.ClientResponse) -> Version:
        return read_version(response.status, response.headers, ignore_etag=self._ignore_etag)

    def _compare(self, name: str, known: Version, found: Version, *, is_refused: bool) -> None:
        """Check that the content is the expected one; note it once if only the etags say otherwise.

        Args:
            name: The object.
            known: What is expected.
            found: What was read.
            is_refused: Whether the service answered 412 to the etag of *known*, and was asked again without.

        Raises:
            ObjectChangedError: It is not.
        """
        result = check_version(name, known=known, found=found)
        if is_refused and not is_proven_same(known, found):
            raise ObjectChangedError(f"{name} was replaced: the service says so (412)")
        if result is Comparison.SAME and not is_refused:
            return
        self._trusts_if_match = False
        if self._oddity is not None:
            return
        self._oddity = (
            f"{name} has several etags, or its own is refused, although its content is unchanged; replaced "
            "shards are recognised by their size and Last-Modified instead"
        )
        log.warning("unreliable etags: %s", self._oddity)

    async def _ask(
        self, name: str, key: str, headers: dict[str, str], *, is_metadata: bool = False
    ) -> aiohttp.ClientResponse | None:
        """Return a response about the object, its body not read; None if there is no such object.

        A refused request is sent once more if the service can prepare a better one.
        """
        asking = await self._service.prepare(key)
        response = await self._send(name, asking, headers)
        if response.status not in _ABOUT_OBJECT:
            refusal = await read_refusal(response)
            if not await self._service.renew(asking, refusal):
                await self._check_absence(name, asking, refusal, is_metadata=is_metadata)
                return None
            asking = await self._service.prepare(key)
            response = await self._send(name, asking, headers)
            if response.status not in _ABOUT_OBJECT:
                refusal = await read_refusal(response)
                await self._check_absence(name, asking, refusal, is_metadata=is_metadata)
                return None
        self._absences.note_read(asking.generation, metadata_key=key if is_metadata else None)
        return response

    async def _check_absence(self, name: str, asking: Asking, refusal: Refusal, *, is_metadata: bool) -> None:
        """Return if a refusal means that there is no such object. Every refused read comes here.

        Raises:
            StoreError: It does not mean that, or cannot be believed.
        """
        is_signed = "Authorization" in asking.headers
        is_not_found = refusal.status == 404
        if is_metadata and not refusal.is_passing:
            self._absences.note_lost()
        if not refusal.says_absent(self._missing_status) or (is_metadata and not is_not_found):
            raise error_of(name, refusal, signed=is_signed, is_metadata=is_metadata)
        if is_metadata:
            return
        if not await self._absences.believes(self._can_read, asking.generation, by_default=is_not_found):
            metadata_key = self._absences.metadata_key
            if metadata_key is None:
                raise error_of(name, refusal, signed=is_signed)
            raise doubt_error_of(name, refusal, name_object(self._url, metadata_key))

    async def _can_read(self, key: str) -> bool:
        asking = await self._service.prepare(key)
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
        name = name_object(self._url, key)
        response = await self._send(name, asking, headers)
        if response.status in _ABOUT_OBJECT:
            response.release()
            return True
        refusal = await read_refusal(response)
        if refusal.is_passing:
            raise error_of(name, refusal)
        return False

    async def _send(self, name: str, asking: Asking, headers: dict[str, str]) -> aiohttp.ClientResponse:
        if self._session.closed:
            raise StoreError(f"{name} cannot be read: the store is closed")
        sent = {**headers, **asking.headers}
        try:
            response = await self._session.get(asking.url, headers=sent, allow_redirects=False)
        except aiohttp.ServerDisconnectedError as error:
            if self._has_answered or asking.url.scheme == "https":
                raise
            raise StoreError(
                f"{name} cannot be read: the server closes the connection without an answer; "
                "if it speaks HTTPS at this port, write https:// in ref or endpoint"
            ) from error
        except ValueError as error:
            if isinstance(error, aiohttp.ClientError):
                raise
            raise StoreError(f"{name} cannot be requested: its address or a header is not valid") from error
        self._has_answered = True
        return response


async def _read_range(name: str, response: aiohttp.ClientResponse, byte_range: ByteRange) -> bytes:
    headers = response.headers
    before = bytes_before(
        name,
        byte_range,
        response.status,
        content_range_of(headers),
        encoding_of(response) or "",
    )
    data = await read_body(response, before + byte_range.size)
    if len(data) == before + byte_range.size:
        return data[before:]
    if response.status == 200:
        raise FormatError(
            f"{name} ends at byte {len(data)}, before its bytes {byte_range.start}-{byte_range.stop} do"
            f"{_WEB_PAGE if response.content_type == 'text/html' else ''}"
        )
    raise StoreError(f"{name} is cut short: {len(data)} of {byte_range.size} bytes arrived")
