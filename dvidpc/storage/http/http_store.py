"""Reads objects over HTTP: from S3, Google Cloud Storage and plain web servers. Follows no redirect."""

import aiohttp

from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.storage.base import Blob
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.http_errors import error_of
from dvidpc.storage.http.ranges import bytes_before
from dvidpc.storage.http.response_bodies import read_body, read_refusal
from dvidpc.storage.http.service import Asking, HttpService, Refusal
from dvidpc.storage.object_checks import check_etag, check_size, if_match, name_object, undo_encoding
from dvidpc.types import ByteRange

_ABOUT_OBJECT = frozenset({200, 206, 412, 416})
"""Statuses that are about the object; all others are refusals."""


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
    ) -> None:
        """Read the objects of *service*.

        Args:
            session: Sends requests; closed with this store.
            service: Prepares requests; closed with this store.
            url: As `ObjectStore.url`.
            identity: As `ObjectStore.identity`.
            missing_status: HTTP statuses that mean "no such object".
        """
        self._session = session
        self._service = service
        self._url = url
        self._identity = identity
        self._missing_status = missing_status

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    @property
    def identity(self) -> str:
        """As `ObjectStore.identity`."""
        return self._identity

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        name = name_object(self._url, key)
        with translate_connection_errors(name):
            response = await self._ask(name, key, {"Accept-Encoding": "gzip, br, zstd"})
            if response is None:
                return None
            async with response:
                if response.status != 200:
                    raise error_of(name, Refusal(response.status, response.headers))
                check_size(name, response.content_length or 0, max_size)
                data = await read_body(response, max_size + 1)
                check_size(name, len(data), max_size)
        encoding = response.headers.get("Content-Encoding")
        return Blob(
            await undo_encoding(name, data, encoding, max_size=max_size), response.headers.get("ETag")
        )

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As `ObjectStore.get_range`.

        If the server sends the whole object instead, it is read only if the range ends within twice its size.
        """
        name = name_object(self._url, key)
        headers = {"Range": f"bytes={byte_range.start}-{byte_range.stop - 1}", "Accept-Encoding": "identity"}
        if condition := if_match(etag):
            headers["If-Match"] = condition
        with translate_connection_errors(name):
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
        """Close the connections and release the credentials."""
        await self._session.close()
        await self._service.close()

    async def _ask(self, name: str, key: str, headers: dict[str, str]) -> aiohttp.ClientResponse | None:
        """Return a response about the object, its body not read; None if there is no such object.

        A refused request is sent once more if the service can prepare a better one.
        """
        asking = await self._service.prepare(key)
        response = await self._send(name, asking, headers)
        if response.status in _ABOUT_OBJECT:
            return response
        refusal = await read_refusal(response)
        if await self._service.renew(asking, refusal):
            response = await self._send(name, await self._service.prepare(key), headers)
            if response.status in _ABOUT_OBJECT:
                return response
            refusal = await read_refusal(response)
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
            raise StoreError(f"{name} cannot be requested: its address or a header is not valid") from error


async def _read_range(name: str, response: aiohttp.ClientResponse, byte_range: ByteRange) -> bytes:
    headers = response.headers
    before = bytes_before(
        name,
        byte_range,
        response.status,
        headers.get("Content-Range", ""),
        headers.get("Content-Encoding", ""),
    )
    data = await read_body(response, before + byte_range.size)
    if len(data) == before + byte_range.size:
        return data[before:]
    if response.status == 200:
        raise FormatError(
            f"{name} ends at byte {len(data)}, before its bytes {byte_range.start}-{byte_range.stop} do"
        )
    raise StoreError(f"{name} is cut short: {len(data)} of {byte_range.size} bytes arrived")
