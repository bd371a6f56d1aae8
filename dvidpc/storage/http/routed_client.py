"""A client for the services that hand out credentials: each request takes the proxy of its own URL."""

from collections.abc import Iterable, Mapping
from typing import Self, TypedDict, Unpack

import aiohttp
from yarl import URL

from dvidpc.storage.http.proxies import find_proxy
from dvidpc.storage.http.session import open_session_via, refuse_redirects
from dvidpc.storage.http.tls import Tls

_TIMEOUT_S = 10.0


class Options(TypedDict, total=False):
    """What of aiohttp's options a request may have."""

    headers: Mapping[str, str] | None
    params: Mapping[str, str | int] | None
    data: bytes | str | None
    timeout: aiohttp.ClientTimeout
    auto_decompress: bool | None
    skip_auto_headers: Iterable[str]
    allow_redirects: bool


class RoutedClient:
    """Sends requests to any host, and follows no redirect: it might lead a secret elsewhere.

    It is used by `async with`, and offers as much of `aiohttp.ClientSession` as the vendors' libraries call.
    """

    def __init__(self, tls: Tls, environ: Mapping[str, str], timeout_s: float = _TIMEOUT_S) -> None:
        """Send requests.

        Args:
            tls: Whom to trust.
            environ: Names the proxies.
            timeout_s: For a whole request, unless it has an option of its own.
        """
        self._tls = tls
        self._environ = environ
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.answers = 0
        """How many requests were answered."""
        self._sessions: dict[URL | None, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for session in self._sessions.values():
            await session.close()

    async def request(
        self, method: str, url: str | URL, **options: Unpack[Options]
    ) -> aiohttp.ClientResponse:
        """Send a request; *options* are aiohttp's, but a redirect is an error.

        Raises:
            ConfigError: The environment names a proxy that cannot be used.
        """
        target = URL(url)
        proxy = find_proxy(target, self._environ)
        if proxy not in self._sessions:
            self._sessions[proxy] = open_session_via(
                proxy, self._tls, self._timeout, middlewares=(refuse_redirects,)
            )
        options["allow_redirects"] = False
        response = await self._sessions[proxy].request(method, target, **options)
        self.answers += 1
        return response

    async def get(self, url: str | URL, **options: Unpack[Options]) -> aiohttp.ClientResponse:
        """Send a GET."""
        return await self.request("GET", url, **options)

    async def post(self, url: str | URL, **options: Unpack[Options]) -> aiohttp.ClientResponse:
        """Send a POST."""
        return await self.request("POST", url, **options)
