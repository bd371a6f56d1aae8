"""Opens the HTTP client for buckets and web servers: timeouts, TLS, proxy, no cookies."""

from collections.abc import Mapping, Sequence

import aiohttp
from yarl import URL

from dvidpc import __version__
from dvidpc.storage.base import UpstreamLimits
from dvidpc.storage.http.proxies import SOCKS, find_proxy
from dvidpc.storage.http.tls import Tls

_BUFFER = 2**20
"""How many bytes of a body aiohttp buffers, twice that at most. Nearly always all of a body is needed, and
with a small buffer aiohttp pauses and resumes reading for each piece."""
_LONGEST_HEADER = 2**16
"""Bytes of a header of a response, at most. Proxies and CDNs add some that exceed aiohttp's 8,190."""


def open_session(
    endpoint: str,
    tls: Tls,
    limits: UpstreamLimits,
    environ: Mapping[str, str],
    *,
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
) -> aiohttp.ClientSession:
    """Open a client for the service at *endpoint*. Callers must not let it follow redirects.

    Raises:
        ConfigError: The environment names a proxy that cannot be used.
    """
    return open_session_via(
        find_proxy(URL(endpoint), environ),
        tls,
        aiohttp.ClientTimeout(
            total=None,  # `RetryingStore` limits the whole attempt
            sock_connect=limits.connect_timeout_s,
            sock_read=limits.first_byte_timeout_s,
        ),
        limit=limits.concurrency,
        middlewares=middlewares,
        auto_decompress=False,
        read_bufsize=_BUFFER,
    )


def open_session_via(
    proxy: URL | None,
    tls: Tls,
    timeout: aiohttp.ClientTimeout,
    *,
    limit: int = 4,
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
    auto_decompress: bool = True,
    read_bufsize: int = 2**16,
) -> aiohttp.ClientSession:
    """Open a client that connects through *proxy*, or directly if that is None.

    aiohttp's own search for a proxy is not used: it would also read credentials from `~/.netrc`.

    Args:
        proxy: As `find_proxy` returns it.
        tls: Whom to trust.
        timeout: Of each request.
        limit: The most connections.
        middlewares: Of aiohttp's client.
        auto_decompress: Whether bodies are decompressed.
        read_bufsize: How many bytes of a body aiohttp buffers, twice that at most.
    """
    if proxy is not None and proxy.scheme in SOCKS:
        from dvidpc.storage.http.socks import make_connector, translate_socks_errors  # noqa: PLC0415  # seldom

        connector = make_connector(proxy, tls, limit)
        middlewares, proxy = (*middlewares, translate_socks_errors), None
    else:
        connector = aiohttp.TCPConnector(ssl=tls, limit=limit)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"dvidpc/{__version__}"},
        proxy=proxy,
        timeout=timeout,
        middlewares=middlewares,
        auto_decompress=auto_decompress,
        read_bufsize=read_bufsize,
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )


async def refuse_redirects(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise `ClientResponseError` for a redirect, as a middleware of a client whose caller follows them."""
    response = await send(request)
    if 300 <= response.status < 400:
        response.release()
        raise aiohttp.ClientResponseError(
            response.request_info, (), status=response.status, headers=response.headers
        )
    return response
