"""HTTPS without a proxy: what is refused, what a client sees, and how a renewed certificate is taken up."""

import asyncio
import contextlib
import http.client
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from dvidpc.errors import ConfigError
from dvidpc.run.certificate import Certificate
from tests.certificates import Authority, make_authority
from tests.processes import running, wait_until, write_config
from tests.waiting import soon

NAMES = ("localhost", "127.0.0.1", "::1")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


def client_of(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.bundle)


@asynccontextmanager
async def listening(certificate: Certificate) -> AsyncIterator[int]:
    """Answer requests with *certificate* in this process; yield the port."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def serial_at(port: int, authority: Authority, name: str | None = "localhost") -> int:
    """Return the serial number of the certificate that a new connection gets; without a name: no SNI."""
    context = client_of(authority)
    context.check_hostname = name is not None
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
    try:
        found = writer.get_extra_info("ssl_object").getpeercert()
    finally:
        writer.close()
    return int(found["serialNumber"], 16)


@pytest.mark.parametrize("is_rsa", [False, True])
@pytest.mark.parametrize("name", ["localhost", None])
async def test_a_renewed_certificate_is_used_by_new_connections(
    authority: Authority, name: str | None, *, is_rsa: bool
) -> None:
    certificate = Certificate(authority.issue(*NAMES), None)
    async with listening(certificate) as port:
        first = await serial_at(port, authority, name)
        context = client_of(authority)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
            session.get(f"https://localhost:{port}/") as response,
        ):
            assert await response.text() == "hello"
            authority.issue(*NAMES, is_rsa=is_rsa)
            await certificate.reload()
            second = await serial_at(port, authority, name)
            assert second != first
            async with session.get(f"https://localhost:{port}/") as again:  # on the old connection
                assert await again.text() == "hello"


async def test_files_are_watched_and_a_half_written_one_is_not_used(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    file = authority.issue(*NAMES)
    certificate = Certificate(file, None)
    caplog.set_level(logging.INFO)
    watching = asyncio.ensure_future(certificate.watch(0.02))
    async with listening(certificate) as port:
        first = await serial_at(port, authority)
        whole = authority.issue(*NAMES, file="other.pem").read_bytes()
        file.write_bytes(whole[:400])
        await soon(lambda: "the certificate stays as it was" in caplog.text, 0.01, 20)
        assert await serial_at(port, authority) == first
        file.unlink()
        await asyncio.sleep(0.1)
        assert await serial_at(port, authority) == first
        (authority.directory / "other.pem").replace(file)  # as cert-manager and certbot do
        await soon(lambda: "certificate read again" in caplog.text, 0.01, 20)
        assert await serial_at(port, authority) != first
    watching.cancel()


def broken(authority: Authority) -> Iterator[tuple[Path, Path | None]]:
    good, other = authority.issue(*NAMES), authority.issue(*NAMES, file="other.pem")
    empty, lone = authority.directory / "empty.pem", authority.directory / "lone.pem"
    empty.write_text("")
    lone.write_bytes(good.read_bytes().partition(b"-----END PRIVATE KEY-----\n")[2])
    yield authority.directory / "missing.pem", None
    yield empty, None
    yield lone, None
    yield lone, other
    yield good, authority.directory / "missing.pem"


def test_files_that_cannot_be_used_are_refused_in_one_line(authority: Authority) -> None:
    for certificate, key in broken(authority):
        with pytest.raises(
            ConfigError, match=r"\[server\] tls_cert: .* cannot be .*; name PEM files"
        ) as caught:
            Certificate(certificate, key)
        assert str(caught.value).isprintable()


def test_a_key_with_a_password_is_refused_and_asks_nobody(authority: Authority) -> None:
    file = authority.issue(*NAMES)
    key = authority.directory / "key.pem"
    loaded = serialization.load_pem_private_key(file.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigError, match="not encrypted"):
        Certificate(file, key)


def fetch(url: str, authority: Authority, **versions: ssl.TLSVersion) -> bytes:
    context = client_of(authority)
    for name, version in versions.items():
        setattr(context, name, version)
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("GET", parts.path)
        response = connection.getresponse()
        assert response.status == 200
        return response.read()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_serves_https_and_reloads_on_sighup(
    tmp_path: Path, volume: Path, authority: Authority, workers: int
) -> None:
    file = authority.issue(*NAMES)
    keys = f'httpAddress = "localhost:0"\nworkers = {workers}\ntls_cert = "{file.name}"'
    config = write_config(tmp_path, volume, keys)
    with running(config) as command:
        url = command.url(workers, scheme="https")
        assert fetch(f"{url}/readyz", authority) == b"ok\n"
        assert len(fetch(f"{url}/api/node/:master/em/raw/0_1_2/64_64_64/0_0_0", authority)) == 64**3
        assert len(fetch(f"{url}/api/node/:master/em/raw/0_1_2/150_130_100/0_0_0", authority)) == 1_950_000
        assert fetch(f"{url}/healthz", authority, maximum_version=ssl.TLSVersion.TLSv1_2) == b"ok\n"
        with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(OSError, match=r"(?i)ssl|tls"):
            fetch(
                f"{url}/healthz",
                authority,
                minimum_version=ssl.TLSVersion.TLSv1_1,
                maximum_version=ssl.TLSVersion.TLSv1_1,
            )
        file.write_text("nonsense")
        command.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: any("certificate stays as it was" in line for line in command.lines), command.lines
        )
        assert fetch(f"{url}/healthz", authority) == b"ok\n"
        authority.issue(*NAMES)
        command.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: sum("certificate read again" in line for line in command.lines) >= workers, command.lines
        )
        assert fetch(f"{url}/healthz", authority) == b"ok\n"
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(timeout=20) == 0


def test_a_certificate_that_is_missing_ends_the_start(tmp_path: Path, volume: Path) -> None:
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:0"\ntls_cert = "missing.pem"')
    with running(config) as command:
        assert command.process.wait(timeout=20) == 2
        [line] = [line for line in command.lines if line.startswith("dvidpc: ")]
        assert "missing.pem" in line
