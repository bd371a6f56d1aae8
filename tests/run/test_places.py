"""The address that is shown for a listening socket, and whether only this machine reaches it."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvidpc.config import Address, UnixAddress
from dvidpc.run.places import are_local, base_url

SHOWN = [
    ("127.0.0.1", "localhost", "localhost"),
    ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ("127.0.0.1", None, "127.0.0.1"),
    ("0.0.0.0", None, "localhost"),
    ("0.0.0.0", "0.0.0.0", "localhost"),
    ("::1", "::1", "[::1]"),
    ("::", "::", "localhost"),
]


@contextlib.contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as made:
        yield made


@pytest.mark.parametrize(("bound", "configured", "shown"), SHOWN)
def test_an_address_is_shown_as_it_can_be_opened_here(bound: str, configured: str | None, shown: str) -> None:
    with listening(bound) as made:
        port = made.getsockname()[1]
        assert base_url("https", [made], Address(configured, 0)) == f"https://{shown}:{port}"


def test_a_socket_in_the_file_system_is_shown_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        assert base_url("http", [made], UnixAddress(path)) == f"unix:{path}"
        assert not are_local([made])


@pytest.mark.parametrize(
    ("hosts", "local"), [(["127.0.0.1", "::1"], True), (["127.0.0.1", "0.0.0.0"], False)]
)
def test_loopback_only_is_local(hosts: list[str], *, local: bool) -> None:
    with contextlib.ExitStack() as stack:
        assert are_local([stack.enter_context(listening(host)) for host in hosts]) == local
