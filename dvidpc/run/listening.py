"""Bind sockets to whatever of a configured address exists here: a container may lack IPv6, or IPv4."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

from dvidpc.config import Address
from dvidpc.errors import ConfigError

_ABSENT: Final = frozenset(
    {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ENODEV, errno.ENETUNREACH}
)
"""Reasons why an address does not exist here. Others, such as "already in use", are errors: a client that
tries this address first would reach another server."""
_DRAWS: Final = 10
"""How often any free port is tried, until it is free at every address."""
_LOOPBACK: Final = "localhost"
"""Names the loopback interface even where nothing resolves it.  (RFC 6761, 6.3)"""

Resolve = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""
Place = tuple[int, tuple[Any, ...]]
"""A family of addresses, and an address in the form that the family needs: host, port, ..."""


@contextlib.contextmanager
def reserved_port(address: Address, key: str) -> Iterator[Address]:
    """Reserve the port of *address* for workers that share it; yield the address with the actual port.

    Args:
        address: Where the workers will listen.
        key: The configuration's key, for the error.

    Raises:
        ConfigError: Another process listens on the port. SO_REUSEPORT alone would not detect that, and the
            two servers would share the requests.
    """
    with contextlib.ExitStack() as probes:
        for probe in bind(address, key):
            probes.enter_context(contextlib.closing(probe))
            address = Address(address.host, probe.getsockname()[1])
    with contextlib.ExitStack() as held:
        for one in bind(address, key, shared=True):
            held.enter_context(contextlib.closing(one))
        yield address


def bind(
    address: Address, key: str, *, shared: bool = False, resolve: Resolve = socket.getaddrinfo
) -> list[socket.socket]:
    """Return a socket for each address that *address* names and that exists here, all with one port.

    Args:
        address: Host and port; port 0 is any that is free.
        key: The configuration's key, for the error.
        shared: Whether other processes listen on the port too.
        resolve: Resolves names.

    Raises:
        ConfigError: None of the addresses exists, or one is in use or not allowed.
    """
    try:
        places = _places(address, resolve)
        for _ in range(0 if address.port else _DRAWS - 1):
            with contextlib.suppress(OSError):
                return _bind_existing(places, address.port, shared=shared)
        return _bind_existing(places, address.port, shared=shared)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        known = number is not None and number > 0 and not isinstance(error, socket.gaierror)
        reason = os.strerror(number or 0) if known else getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{key}: cannot listen on {address}: {reason}; name another") from error


def _places(address: Address, resolve: Resolve) -> list[Place]:
    """Return the addresses that the host has, without duplicates, in the resolver's order."""

    def look_up(host: str | None, flags: int) -> list[Place]:
        found = resolve(host, address.port, type=socket.SOCK_STREAM, flags=flags)
        return list(dict.fromkeys((family, place) for family, _, _, _, place in found))

    try:
        return look_up(address.host, socket.AI_PASSIVE)
    except socket.gaierror:
        if address.host != _LOOPBACK:
            raise
        return look_up(None, 0)


def _bind_existing(places: list[Place], port: int, *, shared: bool) -> list[socket.socket]:
    """Bind to the *places* that exist, at *port*, or at whichever port the first one gets.

    Raises:
        OSError: None exists, or binding to one failed for another reason.
    """
    bound: list[socket.socket] = []
    absent: list[OSError] = []
    try:
        for family, place in places:
            try:
                bound.append(_bind_one(family, (place[0], port, *place[2:]), shared=shared))
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                absent.append(error)
            else:
                port = bound[0].getsockname()[1]
        if not bound:
            raise absent[0]
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


def _bind_one(family: int, place: tuple[Any, ...], *, shared: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(place)
    except OSError:
        made.close()
        raise
    return made
