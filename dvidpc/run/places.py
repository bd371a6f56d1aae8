"""Where a server or its workers listen: an address to bind to, or sockets that exist already."""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvidpc.config import Address, UnixAddress
from dvidpc.http.loopback import is_loopback_name
from dvidpc.run.held_sockets import passed_sockets, unix_socket
from dvidpc.run.listening import reserved_port


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen."""

    address: Address | UnixAddress
    """As configured, with the actual port, or that of the sockets."""
    sockets: tuple[socket.socket, ...] = ()
    """Sockets that listen already; empty: each worker binds to the address."""


@contextlib.contextmanager
def reserved(address: Address | UnixAddress, key: str, environ: Mapping[str, str]) -> Iterator[Place]:
    """Reserve *address* for a server or its workers; sockets that systemd has passed take its place.

    Args:
        address: Where they will listen.
        key: The configuration's key, for the error.
        environ: The environment, where systemd says what it has passed.

    Raises:
        ConfigError: Another process listens there, or the address cannot be used.
    """
    passed = passed_sockets(environ, os.getpid())
    if passed:
        yield Place(_address_of(passed[0], address), tuple(passed))
    elif isinstance(address, UnixAddress):
        with unix_socket(address, key) as made:
            yield Place(address, (made,))
    else:
        with reserved_port(address, key) as actual:
            yield Place(actual)


def are_local(sockets: Sequence[socket.socket]) -> bool:
    """Return whether listening sockets are reached by loopback addresses only."""
    names = [one.getsockname() for one in sockets]
    return all(isinstance(name, tuple) and is_loopback_name(name[0]) for name in names)


def base_url(scheme: str, sockets: Sequence[socket.socket], address: Address | UnixAddress) -> str:
    """Return the URL at which a client on this machine reaches the first socket; `unix:` and its path.

    Args:
        scheme: `http` or `https`.
        sockets: What listens.
        address: Whose host is shown.
    """
    found = _address_of(sockets[0], address)
    return str(found) if isinstance(found, UnixAddress) else f"{scheme}://{_named(found)}"


def _named(address: Address) -> Address:
    return address if address.host is not None else Address("localhost", address.port)


def _address_of(one: socket.socket, configured: Address | UnixAddress) -> Address | UnixAddress:
    """Return where *one* listens; under the host that is configured, if there is one."""
    name = one.getsockname()
    if not isinstance(name, tuple):
        return UnixAddress(Path(os.fsdecode(name)))
    host, port = name[:2]
    if isinstance(configured, Address) and configured.host is not None:
        return Address(configured.host, port)
    return Address(None if ipaddress.ip_address(host).is_unspecified else host, port)
