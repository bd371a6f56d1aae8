"""Finds the proxy for a URL, by the variables of the environment that curl, Go and google-auth read."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from yarl import URL

from dvidpc.errors import ConfigError

SOCKS: Final = frozenset({"socks4", "socks4a", "socks5", "socks5h"})
_HTTP: Final = frozenset({"http", "https"})
_LOCAL_NAMES: Final = frozenset({"localhost", "metadata.google.internal", "metadata"})
_PORTS: Final = {"http": 80, "https": 443}
_WITH_PORT: Final = re.compile(r"(\[[^]]*]|[^:]*):([0-9]{1,5})")


def find_proxy(url: URL, environ: Mapping[str, str]) -> URL | None:
    """Return the proxy for *url*; None for a direct connection.

    `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` are read, in lower case before upper case. As in
    Go, no proxy is used for this machine itself. Neither is one used for a metadata service, which hands out
    credentials and answers only on its own network.

    Raises:
        ConfigError: The variable does not hold the URL of a proxy that can be used; its value, which may
            hold a password, is not repeated.
    """
    host = (url.host or "").rstrip(".")
    if _is_local(host) or _is_exempt(host, url.port or _PORTS.get(url.scheme, 0), environ):
        return None
    for name in (f"{url.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if text := environ.get(variable, "").strip():
                return _parse_proxy(text, variable)
    return None


def _parse_proxy(text: str, variable: str) -> URL:
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
        usable = proxy.scheme in _HTTP | SOCKS and bool(proxy.host)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{variable} in the environment is not the URL of a proxy; "
            "write http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or socks4://HOST:PORT"
        )
    return proxy if proxy.port is not None else proxy.with_port(1080)


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or host.startswith("fd00:ec2:")


def _is_exempt(host: str, port: int, environ: Mapping[str, str]) -> bool:
    text = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return any(_covers(pattern, host, port) for pattern in _split(text))


def _split(text: str) -> Iterator[str]:
    yield from (part for part in re.split(r"[,\s]+", text.lower()) if part)


def _covers(pattern: str, host: str, port: int) -> bool:
    """Return whether an item of `no_proxy` covers *host*.

    An item is `*`, a domain with or without a leading dot, `*.domain`, an address or a CIDR network. All but
    the first and the last may end in `:port`.
    """
    if pattern == "*":
        return True
    if match := _WITH_PORT.fullmatch(pattern):
        if int(match[2]) != port:
            return False
        pattern = match[1]
    pattern = pattern.strip("[]").rstrip(".")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    domain = pattern.lstrip(".")
    return bool(domain and f".{host}".endswith(f".{domain}")) or _is_in_network(host, pattern)


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
