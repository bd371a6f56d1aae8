"""The HTTP client that buckets and web servers are asked by: our times, our trust, nobody's cookies."""

import ssl
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

import aiohttp
from yarl import URL

from dvidpc import __version__
from dvidpc.storage.base import UpstreamLimits

_BUFFER = 2**20
"""Bytes of a body that are taken in before they are asked for; twice that at most. As a rule all of it is
wanted: with a small buffer reading is stopped and begun again for each piece."""


def open_session(
    endpoint: str, tls: ssl.SSLContext, limits: UpstreamLimits, environ: Mapping[str, str]
) -> aiohttp.ClientSession:
    """A client for the service at *endpoint*. Who uses it lets it follow no redirect.

    It does not look into `~/.netrc`, as aiohttp would if it were to find the proxy itself.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=limits.concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"dvidpc/{__version__}"},
        proxy=find_proxy(URL(endpoint), environ),
        timeout=aiohttp.ClientTimeout(
            total=None,  # `RetryingStore` has a clock for that
            sock_connect=limits.connect_timeout_s,
            sock_read=limits.first_byte_timeout_s,
        ),
        auto_decompress=False,
        read_bufsize=_BUFFER,
    )


def find_proxy(url: URL, environ: Mapping[str, str]) -> URL | None:
    """The proxy on the way to *url* by `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`; None: none.

    As for curl, and for what read buckets before; the names may be in capitals.
    """

    def said(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    proxy = said(f"{url.scheme}_proxy") or said("all_proxy")
    if not proxy or any(_covers(part.strip(), url.host or "") for part in said("no_proxy").split(",")):
        return None
    return URL(proxy if "://" in proxy else f"http://{proxy}")


def _covers(pattern: str, host: str) -> bool:
    """Whether a part of `no_proxy` means *host*: a domain, an address, a network in CIDR notation, or `*`."""
    domain = pattern.lstrip(".")
    if pattern == "*" or (domain and f".{host}".endswith(f".{domain}")):
        return True
    try:
        return ip_address(host) in ip_network(pattern, strict=False)
    except ValueError:
        return False
