"""Tell the names of this machine from those of others, in `Host` and `Origin` headers."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit


def is_loopback_name(host: str) -> bool:
    """Return whether *host*, a name or an address without brackets, always means the machine itself.

    `localhost` and the names below it are never looked up elsewhere.  (RFC 6761, 6.3)
    """
    name = host.lower().removesuffix(".")
    address = parse_ip_address(name)
    if address is not None:
        return address.is_loopback
    return name == "localhost" or name.endswith(".localhost")


def parse_ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that *host* is; None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(64)
def is_loopback_origin(origin: str) -> bool:
    """Return whether a page of *origin*, as a browser writes it, was served by the browser's own machine."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname
    except ValueError:  # brackets without an address
        return False
    return parts.scheme in {"http", "https"} and host is not None and is_loopback_name(host)


def host_of(header: str) -> str:
    """Return the host of a `Host` header, in lower case, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower().removesuffix(".")
