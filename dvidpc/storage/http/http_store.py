"""Reads objects over HTTP, following no redirect: from S3, Google Cloud Storage and plain web servers."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreTimeoutError
from dvidpc.storage.base import Blob
from dvidpc.storage.http.http_errors import error_of
from dvidpc.storage.http.ranges import bytes_before
from dvidpc.storage.http.service import MAX_REFUSAL, Asking, HttpService, Refusal, find_code
from dvidpc.storage.object_checks import check_etag, check_size, if_match, name_object, undo_encoding
from dvidpc.types import ByteRange

_HEARD = frozenset({200, 206, 412, 416})
"""Statuses that tell something of the object."""
_WITH_REASON = frozenset({400, 401, 403, 404})
"""Statuses of which the reason matters."""


class HttpStore:
    """An `ObjectStore` over HTTP; closes *session* and *service* with itself."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: HttpService,
        url: str,
        missing_status: frozenset[int],
    ) -> None:
        self._session = session
        self._service = service
        self._url = url
        self._missing_status = missing_status

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        name = name_object(self._url, key)
        with _told_of(name):
            response = await self._ask(name, key, {"Accept-Encoding": "gzip, br, zstd"})
            if response is None:
                return None
            async with response:
                if response.status != 200:
                    raise error_of(name, Refusal(response.status, response.headers))
                check_size(name, response.content_length or 0, max_size)
                data = await _read(response, max_size + 1)
                check_size(name, len(data), max_size)
        encoding = response.headers.get("Content-Encoding")
        return Blob(
            await undo_encoding(name, data, encoding, max_size=max_size), response.headers.get("ETag")
        )

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As `ObjectStore.get_range`.

        A server that sends the whole object instead is heard only if the range ends within twice its size.
        """
        name = name_object(self._url, key)
        headers = {"Range": f"bytes={byte_range.start}-{byte_range.stop - 1}", "Accept-Encoding": "identity"}
        if condition := if_match(etag):
            headers["If-Match"] = condition
        with _told_of(name):
            response = await self._ask(name, key, headers)
            if response is None:
                return None
            async with response:
                found = response.headers.get("ETag")
                if response.status == 412:
                    raise ObjectChangedError(f"{name} was replaced: its etag is not {etag}")
                check_etag(name, known=etag, found=found)
                if response.status == 416:
                    raise FormatError(f"{name} ends before its bytes {byte_range.start}-{byte_range.stop} do")
                return Blob(await _read_range(name, response, byte_range), found)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await self._service.close()

    async def _ask(self, name: str, key: str, headers: dict[str, str]) -> aiohttp.ClientResponse | None:
        """An answer that is about the object, its body not read; None if there is no such object."""
        asking = await self._service.prepare(key)
        response = await self._send(name, asking, headers)
        if response.status in _HEARD:
            return response
        refusal = await _read_refusal(response)
        if await self._service.mend(asking, refusal):
            response = await self._send(name, await self._service.prepare(key), headers)
            if response.status in _HEARD:
                return response
            refusal = await _read_refusal(response)
        if refusal.says_absent(self._missing_status):
            return None
        raise error_of(name, refusal, signed="Authorization" in asking.headers)

    async def _send(self, name: str, asking: Asking, headers: dict[str, str]) -> aiohttp.ClientResponse:
        if self._session.closed:
            raise StoreError(f"{name} cannot be read: the store is closed")
        sent = {**headers, **asking.headers}
        try:
            return await self._session.get(asking.url, headers=sent, allow_redirects=False)
        except ValueError as error:
            if isinstance(error, aiohttp.ClientError):
                raise
            raise StoreError(f"{name} cannot be asked for: a header would not be one line") from error


async def _read_refusal(response: aiohttp.ClientResponse) -> Refusal:
    async with response:
        headers = response.headers
        body = await _read(response, MAX_REFUSAL) if response.status in _WITH_REASON else b""
    return Refusal(response.status, headers, find_code(body, headers.get("Content-Encoding")))


async def _read_range(name: str, response: aiohttp.ClientResponse, byte_range: ByteRange) -> bytes:
    headers = response.headers
    before = bytes_before(
        name,
        byte_range,
        response.status,
        headers.get("Content-Range", ""),
        headers.get("Content-Encoding", ""),
    )
    data = await _read(response, before + byte_range.size)
    if len(data) == before + byte_range.size:
        return data[before:]
    if response.status == 200:
        raise FormatError(
            f"{name} ends at byte {len(data)}, before its bytes {byte_range.start}-{byte_range.stop} do"
        )
    raise StoreError(f"{name} broke off: {len(data)} bytes of {byte_range.size}")


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, or its first *most* bytes."""
    pieces, size = [], 0
    while size < most and (piece := await response.content.readany()):
        pieces.append(piece)
        size += len(piece)
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return data if size <= most else data[:most]


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Turn what aiohttp raises into errors that name the object, and nothing that was sent."""
    try:
        yield
    except TimeoutError as error:
        raise StoreTimeoutError(f"{name}: no answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise StoreError(f"{name} cannot be read: {_explain(error)}") from error


def _explain(error: Exception) -> str:
    match error:
        case aiohttp.ClientProxyConnectionError():
            why = "the proxy on the way to it cannot be reached"
        case aiohttp.ClientHttpProxyError():
            why = f"the proxy on the way to it answers {error.status}"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            why = "its certificate is not trusted; ca_bundle names others to trust"
        case aiohttp.ClientConnectorDNSError():
            why = "its host name is not found"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            why = "it cannot be reached: the connection is refused"
        case aiohttp.ClientConnectorError():
            why = f"it cannot be reached ({error.os_error.strerror or type(error.os_error).__name__})"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            why = "the connection broke off"
        case aiohttp.ClientResponseError():
            why = "its answer is no HTTP"
        case _:
            why = type(error).__name__
    return why
