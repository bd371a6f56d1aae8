"""The server listens on whatever exists of an address, and fails only if nothing does or a port is taken."""

import contextlib
import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvidpc.config import Address
from dvidpc.demo import demo_directory, write_demo_volume
from dvidpc.errors import ConfigError
from dvidpc.run.listening import Resolve, bind, reserved_port
from dvidpc.types import Point
from tests.processes import write_config

KEY = "[server] httpAddress"
ABSENT = "198.51.100.1"
"""An address that no machine has.  (RFC 5737)"""


def resolving(*hosts: str) -> Resolve:
    """Resolves every name to *hosts*."""

    def resolve(_host: str | None, port: int, **_more: int) -> list[object]:
        return [
            (socket.AF_INET6, 1, 6, "", (host, port, 0, 0))
            if ":" in host
            else (socket.AF_INET, 1, 6, "", (host, port))
            for host in hosts
        ]

    return resolve


@contextlib.contextmanager
def bound(
    address: Address, *, shared: bool = False, resolve: Resolve = socket.getaddrinfo
) -> Iterator[list[str]]:
    sockets = bind(address, KEY, shared=shared, resolve=resolve)
    try:
        for one in sockets:
            one.listen()
        assert len({one.getsockname()[1] for one in sockets}) == 1
        yield [one.getsockname()[0] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("2001:db8::1", "127.0.0.1"), ["127.0.0.1"]),
        (("127.0.0.1", "2001:db8::1"), ["127.0.0.1"]),
        ((ABSENT, "127.0.0.1"), ["127.0.0.1"]),
        (("127.0.0.1", "127.0.0.1"), ["127.0.0.1"]),
        (("127.0.0.1", "127.0.0.2"), ["127.0.0.1", "127.0.0.2"]),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_only_what_exists_of_a_name_is_bound(
    hosts: tuple[str, ...], expected: list[str], *, shared: bool
) -> None:
    with bound(Address("name", 0), shared=shared, resolve=resolving(*hosts)) as places:
        assert places == expected


def test_a_name_of_which_nothing_exists_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        bind(Address("name", 80), KEY, resolve=resolving(ABSENT, "198.51.100.2"))
    assert str(caught.value) == (
        f"{KEY}: cannot listen on name:80: {os.strerror(errno.EADDRNOTAVAIL)}; name another"
    )


def test_a_port_that_is_taken_at_one_of_the_addresses_is_refused() -> None:
    """Otherwise a client that tries this address first would reach the other server."""
    with socket.create_server(("127.0.0.2", 0)) as other:
        port = other.getsockname()[1]
        for hosts in (("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")):
            with pytest.raises(ConfigError, match="Address already in use; name another"):
                bind(Address("name", port), KEY, resolve=resolving(*hosts))
        with bound(Address("127.0.0.1", port)):
            pass  # what was bound before the failure is free again


def test_any_free_port_is_one_that_is_free_at_every_address() -> None:
    with bound(Address("name", 0), resolve=resolving("127.0.0.1", "127.0.0.2", "127.0.0.3")) as places:
        assert len(places) == 3


def test_localhost_is_the_loopback_interface_even_where_nothing_resolves_it() -> None:
    def resolve(host: str | None, port: int, **more: int) -> list[object]:
        if host is not None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return list(socket.getaddrinfo(None, port, **more))

    with bound(Address("localhost", 0), resolve=resolve) as places:
        assert set(places) <= {"127.0.0.1", "::1"}
    with pytest.raises(ConfigError, match=r"cannot listen on nowhere:0: Name or service not known"):
        bind(Address("nowhere", 0), KEY, resolve=resolve)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70 + ".invalid", "bad host"])
def test_a_name_that_does_not_resolve_is_one_line(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bind(Address(host, 0), KEY)
    assert str(caught.value).startswith(f"{KEY}: cannot listen on {host}:0: ")
    assert "Unknown error" not in str(caught.value)


def test_every_interface_is_bound_once() -> None:
    with bound(Address(None, 0)) as places:
        assert "0.0.0.0" in places or "::" in places
        assert len(set(places)) == len(places)


def test_a_reserved_port_is_the_same_for_all_workers_and_can_be_shared() -> None:
    with (
        reserved_port(Address("localhost", 0), KEY) as address,
        bound(address, shared=True),
        bound(address, shared=True),
    ):
        assert address.port > 0
        with pytest.raises(ConfigError, match="already in use"), reserved_port(address, KEY):
            pass


NAMESPACE = """
set -e
ip link set lo up
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
printf '::1 localhost\\n127.0.0.1 localhost\\n' > {hosts}
mount --bind {hosts} /etc/hosts
"$@" 2> {log} >&2 &
trap "kill $!; wait" EXIT
await() {{
    for _ in $(seq 100); do
        url=$(sed -n "s/.*$1 at \\(http:[^ ]*\\).*/\\1/p" {log} | head -1)
        [ -n "$url" ] && break
        sleep 0.1
    done
}}
await listening
{python} -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())' "$url/readyz"
if grep -q '^.metrics' {config}; then await metrics; fi
{python} -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).status)' "$url"
"""


UNSHARE = shutil.which("unshare") or ""


def can_unshare() -> bool:
    """Whether this machine allows network and mount namespaces to whoever runs the tests."""
    if not UNSHARE:
        return False
    done = subprocess.run(
        [UNSHARE, "-rnm", "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no network namespaces here")
@pytest.mark.parametrize("workers", [1, 2])
def test_localhost_is_served_in_a_container_without_ipv6(tmp_path: Path, volume: Path, workers: int) -> None:
    config = write_config(tmp_path, volume, f'httpAddress = "localhost:0"\nworkers = {workers}')
    config.write_text(config.read_text() + '[metrics]\naddress = "localhost:0"\n')
    assert _without_ipv6(tmp_path, config, "serve", str(config)) == ["b'ok\\n'", "200"]


@pytest.mark.skipif(not can_unshare(), reason="no network namespaces here")
def test_the_demo_is_served_in_a_container_without_ipv6(tmp_path: Path) -> None:
    write_demo_volume(demo_directory(environ_of(tmp_path)), lambda _: None, Point(70, 45, 33))
    assert _without_ipv6(tmp_path, Path("/dev/null"), "demo", "--port", "0") == ["b'ok\\n'", "200"]


def environ_of(directory: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(directory / "cache")}


def _without_ipv6(directory: Path, config: Path, *arguments: str) -> list[str]:
    """Run the command where localhost has an address that does not exist; return what its clients got."""
    log = directory / "stderr"
    log.touch()
    script = NAMESPACE.format(hosts=directory / "hosts", log=log, config=config, python=sys.executable)
    done = subprocess.run(
        [UNSHARE, "-rnm", "sh", "-c", script, "sh", sys.executable, "-m", "dvidpc", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environ_of(directory),
    )
    assert done.returncode == 0, (done.stderr, log.read_text())
    return done.stdout.splitlines()[-2:]
