"""Reads objects from a plain web server, following no redirect."""

import re
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from dvidpc import __version__
from dvidpc.errors import (
    FormatError,
    ObjectChangedError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from dvidpc.storage.answers import check_etag, check_size, if_match, name_object, undo_encoding
from dvidpc.storage.base import Blob, BucketAccess, UpstreamLimits
from dvidpc.storage.ref import Ref
from dvidpc.storage.tls import load_tls_context
from dvidpc.types import ByteRange

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_UNREACHABLE = (aiohttp.ClientError, OSError)


async def open_http(ref: Ref, access: BucketAccess, limits: UpstreamLimits) -> "HttpStore":
    """Open a web server's directory; see `open_store`. Nothing that would say who we are is sent."""
    tls = await load_tls_context(access.ca_bundle)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=limits.concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"dvidpc/{__version__}"},
        timeout=aiohttp.ClientTimeout(
            total=limits.attempt_timeout_s,
            sock_connect=limits.connect_timeout_s,
            sock_read=limits.first_byte_timeout_s,
        ),
        auto_decompress=False,
    )
    return HttpStore(session, ref.url, access.missing_status)


class HttpStore:
    """An `ObjectStore` over HTTP; closes *session* with itself."""

    def __init__(self, session: aiohttp.ClientSession, url: str, missing_status: frozenset[int]) -> None:
        self._session = session
        self._url = url
        self._base = str(URL(url))  # what is not ASCII in it is encoded
        self._missing_status = missing_status

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        name = name_object(self._url, key)
        try:
            async with self._ask(key, {"Accept-Encoding": "gzip, br, zstd"}) as response:
                if response.status in self._missing_status:
                    return None
                _check_status(name, response, wanted=200)
                check_size(name, response.content_length or 0, max_size)
                data = await _read(response, max_size + 1)
                check_size(name, len(data), max_size)
        except TimeoutError as error:
            raise StoreTimeoutError(f"{name}: no answer in time") from error
        except _UNREACHABLE as error:
            raise StoreError(f"{name} cannot be read: {_explain(error)}") from error
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
        try:
            async with self._ask(key, headers) as response:
                if response.status in self._missing_status:
                    return None
                found = response.headers.get("ETag")
                if response.status == 412:
                    raise ObjectChangedError(f"{name} was replaced: its etag is not {etag}")
                if response.status == 416:
                    check_etag(name, known=etag, found=found)
                    raise FormatError(f"{name} ends before its bytes {byte_range.start}-{byte_range.stop} do")
                if response.status != 200:
                    _check_status(name, response, wanted=206)
                check_etag(name, known=etag, found=found)
                return Blob(await _read_range(name, response, byte_range), found)
        except TimeoutError as error:
            raise StoreTimeoutError(f"{name}: no answer in time") from error
        except _UNREACHABLE as error:
            raise StoreError(f"{name} cannot be read: {_explain(error)}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _ask(self, key: str, headers: dict[str, str]) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        url = URL(f"{self._base.rstrip('/')}/{quote(key, safe='/')}", encoded=True)
        return self._session.get(url, headers=headers, allow_redirects=False)


def _check_status(name: str, response: aiohttp.ClientResponse, *, wanted: int) -> None:
    status = response.status
    if status == wanted:
        return
    if 300 <= status < 400:
        where = _host_of(response.headers.get("Location", ""))
        raise StoreRefusedError(
            f"{name} cannot be read: redirects ({status} to {where!r}) are not followed", status
        )
    if status in {401, 403}:
        raise StoreRefusedError(
            f"{name} cannot be read: the server does not let us ({status}), and web servers are read "
            "anonymously; if that is how absence looks here, list it in missing_status",
            status,
        )
    if status in {429, 503}:
        after_s = parse_retry_after(response.headers.get("Retry-After", ""))
        raise StoreBusyError(f"{name} cannot be read: the server answers {status}", after_s)
    raise StoreError(f"{name} cannot be read: the server answers {status}")


def parse_retry_after(text: str) -> float | None:
    """The seconds of a `Retry-After`; None if it names none, or a date, which buckets do not send."""
    return float(text) if _SECONDS.fullmatch(text) else None


def _host_of(location: str) -> str:
    """The host a redirect points to, and nothing else of it; empty if it names none."""
    try:
        return urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def bytes_before(name: str, byte_range: ByteRange, status: int, content_range: str, encoding: str) -> int:
    """How many bytes of a body come before the range asked for: none of a 206, some of a short 200.

    Raises:
        FormatError: The object ends before the range does.
        StoreError: The body is something else than was asked for, or too long to search for it.
    """
    if status == 200:
        if encoding not in {"", "identity"}:
            raise StoreError(
                f"{name} cannot be read: the server encodes ({encoding!r}) what it was asked not to"
            )
        if byte_range.stop > 2 * byte_range.size:
            raise StoreError(f"{name} cannot be read: the server sends all of it instead of a range")
        return byte_range.start
    match = _CONTENT_RANGE.fullmatch(content_range)
    if match is None or int(match[1]) != byte_range.start or int(match[2]) >= byte_range.stop:
        raise StoreError(f"{name} cannot be read: the server sends the range {content_range[:80]!r} instead")
    stop = int(match[2]) + 1
    if stop < byte_range.stop:
        if match[3] != str(stop):
            raise StoreError(
                f"{name} cannot be read: the server sends the range {content_range[:80]!r} instead"
            )
        raise FormatError(
            f"{name} ends at byte {stop}, before its bytes {byte_range.start}-{byte_range.stop} do"
        )
    return 0


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
    data = bytearray()
    while len(data) < most and (piece := await response.content.read(most - len(data))):
        data += piece
    return bytes(data)


def _explain(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its certificate is not trusted; ca_bundle names others to trust"
        case aiohttp.ClientConnectorDNSError():
            return "its host name is not found"
        case aiohttp.ClientConnectorError():
            return f"it cannot be reached ({error.os_error.strerror or type(error.os_error).__name__})"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return "the connection broke off"
        case _:
            return type(error).__name__
