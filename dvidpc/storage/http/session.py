"""Opens the HTTP client for buckets and web servers: timeouts, TLS, proxy, no cookies."""

import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

import aiohttp
from yarl import URL

from dvidpc import __version__
from dvidpc.storage.base import UpstreamLimits

_BUFFER = 2**20
"""How many bytes of a body aiohttp buffers, twice that at most. Nearly always all of a body is needed, and
with a small buffer aiohttp pauses and resumes reading for each piece."""


def open_session(
    endpoint: str,
    tls: ssl.SSLContext,
    limits: UpstreamLimits,
    environ: Mapping[str, str],
    *,
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
) -> aiohttp.ClientSession:
    """Open a client for the service at *endpoint*. Callers must not let it follow redirects.

    The proxy is found here: aiohttp's own search would also read credentials from `~/.netrc`.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=limits.concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"dvidpc/{__version__}"},
        proxy=find_proxy(URL(endpoint), environ),
        timeout=aiohttp.ClientTimeout(
            total=None,  # `RetryingStore` limits the whole attempt
            sock_connect=limits.connect_timeout_s,
            sock_read=limits.first_byte_timeout_s,
        ),
        auto_decompress=False,
        read_bufsize=_BUFFER,
        middlewares=middlewares,
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


def find_proxy(url: URL, environ: Mapping[str, str]) -> URL | None:
    """Return the proxy for *url*; None for a direct connection.

    The environment's `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` are read as curl reads them;
    their names may be in capitals.
    """

    def read(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    proxy = read(f"{url.scheme}_proxy") or read("all_proxy")
    if not proxy or any(_covers(part.strip(), url.host or "") for part in read("no_proxy").split(",")):
        return None
    return URL(proxy if "://" in proxy else f"http://{proxy}")


def _covers(pattern: str, host: str) -> bool:
    """Return whether an item of `no_proxy` covers *host*: a domain, an address, a CIDR network, or `*`."""
    domain = pattern.lstrip(".")
    if pattern == "*" or (domain and f".{host}".endswith(f".{domain}")):
        return True
    try:
        return ip_address(host) in ip_network(pattern, strict=False)
    except ValueError:
        return False
