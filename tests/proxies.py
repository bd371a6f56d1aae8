"""Real proxies in process: HTTP (CONNECT and whole addresses), SOCKS4, SOCKS4a and SOCKS5.

Behind a proxy every host is 127.0.0.1, so that made-up host names can only be reached through it.
"""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


@dataclass
class Proxy:
    """A proxy, and which hosts it was asked to connect to."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    port_of: dict[str, int] = field(default_factory=dict)
    """Where hosts listen, unless the request itself names the port."""

    def url(self, scheme: str, login: str = "") -> str:
        """The value of a variable of the environment."""
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    async def connect(self, host: str, port: int) -> tuple[Reader, Writer]:
        """Connect to a host."""
        self.asked.append(host)
        return await asyncio.open_connection("127.0.0.1", self.port_of.get(host, port))


@asynccontextmanager
async def run_http_proxy(tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Run an HTTP proxy, which is itself spoken to by TLS if it is given a context."""
    async with _run(_speak_http, tls) as proxy:
        yield proxy


@asynccontextmanager
async def run_socks_proxy() -> AsyncIterator[Proxy]:
    """Run a proxy that speaks every version of SOCKS."""
    async with _run(_speak_socks) as proxy:
        yield proxy


@asynccontextmanager
async def _run(
    speak: Callable[[Proxy, Reader, Writer], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    proxy = Proxy()

    async def handle(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await speak(proxy, reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()


async def _speak_http(proxy: Proxy, reader: Reader, writer: Writer) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, version = head.split(b"\r\n", 1)[0].decode().split(" ")
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        upstream = await proxy.connect(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    else:
        parts = urlsplit(target)
        upstream = await proxy.connect(parts.hostname or "", parts.port or 80)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        rest = head.split(b"\r\n", 1)[1]
        upstream[1].write(f"{method} {path} {version}\r\nConnection: close\r\n".encode() + rest)
    await _relay(reader, writer, *upstream)


async def _speak_socks(proxy: Proxy, reader: Reader, writer: Writer) -> None:
    if (await reader.readexactly(1))[0] == 4:
        host, port = await _read_socks4(reader)
        upstream = await proxy.connect(host, port)
        writer.write(b"\0\x5a" + bytes(6))
    else:
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\5\0")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        upstream = await proxy.connect(host, int.from_bytes(await reader.readexactly(2)))
        writer.write(b"\5\0\0\1" + bytes(6))
    await _relay(reader, writer, *upstream)


async def _read_socks4(reader: Reader) -> tuple[str, int]:
    await reader.readexactly(1)
    port = int.from_bytes(await reader.readexactly(2))
    address = await reader.readexactly(4)
    await reader.readuntil(b"\0")
    if address[:3] == bytes(3):  # SOCKS4a: the name follows
        return (await reader.readuntil(b"\0"))[:-1].decode(), port
    return str(ipaddress.ip_address(address)), port


async def _relay(reader: Reader, writer: Writer, other_reader: Reader, other_writer: Writer) -> None:
    async def copy(source: Reader, target: Writer) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(2**16):
                target.write(data)
                await target.drain()
        target.close()

    await asyncio.gather(copy(reader, other_writer), copy(other_reader, writer))


def make_certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for *names*; return the server's context and the bundle to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, private = folder / "ca.pem", folder / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    return context, bundle
