"""Sends the requests that botocore prepares over our own HTTP client.

aiobotocore's own client follows redirects and hands the session token to wherever they point. It also knows
less of proxies than ours, and makes a TLS context for each client.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, SSLError
from yarl import URL

from dvidpc.errors import StoreError
from dvidpc.storage.http.response_bodies import read_body
from dvidpc.storage.http.routed_client import RoutedClient

MAX_RESPONSE: Final = 16 * 2**20
"""Bytes of the longest response that is read; a page of 1,000 keys takes at most a quarter of it."""

_TIMEOUT_S: Final = 10.0


async def send_prepared(
    client: aiohttp.ClientSession | RoutedClient, request: AWSPreparedRequest
) -> AioAWSResponse:
    """Send *request* by *client*; return the whole response.

    Raises:
        StoreError: The response is longer than any that is useful.
    """
    headers = {key: _text(value) for key, value in request.headers.items()}
    response = await client.request(
        request.method,
        URL(request.url, encoded=True),
        headers={**headers, "Accept-Encoding": "identity"},
        data=request.body or None,
        allow_redirects=False,
        skip_auto_headers={"Content-Type"},
    )
    async with response:
        body = await read_body(response, MAX_RESPONSE + 1)
    if len(body) > MAX_RESPONSE:
        raise StoreError(f"{request.url.partition('?')[0]} answers with more than {MAX_RESPONSE} bytes")
    received = {key.lower(): value for key, value in response.headers.items()}
    return AioAWSResponse(request.url, response.status, received, _Body(body))


class CredentialServices:
    """What aiobotocore asks STS, SSO and the metadata services with; it opens a connection for each request.

    It stands for aiobotocore's `AIOHTTPSession`, and raises what that raises.
    """

    def __init__(
        self, open_client: Callable[[float], RoutedClient], *, timeout: object = None, **_: object
    ) -> None:
        """Send by the client that *open_client* returns.

        Args:
            open_client: Opens a client, whose requests take a number of seconds at most.
            timeout: Seconds, or those to connect and those to read, as aiobotocore passes them.
        """
        self._open_client = open_client
        seconds = timeout[-1] if isinstance(timeout, list | tuple) else timeout
        self._timeout_s = float(seconds) if isinstance(seconds, int | float) else _TIMEOUT_S

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: no connection stays open."""

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Self]:
        """As aiobotocore's sessions for metadata services."""
        yield self

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """Send *request*; return the whole response."""
        try:
            async with self._open_client(self._timeout_s) as client:
                return await send_prepared(client, request)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except aiohttp.ClientSSLError as error:
            raise SSLError(endpoint_url=request.url, error=error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that has arrived, as `AioAWSResponse` reads it."""

    data: bytes

    async def read(self) -> bytes:
        return self.data


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
