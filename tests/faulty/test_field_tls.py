"""A TLS connection that cannot be established says why, each time in another sentence (row F28)."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.session import open_session_via
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.certificates import DAY, Authority, make_authority
from tests.check.test_check_buckets import check
from tests.servers import serve
from tests.serving import config_text

KINDS = ("http", "s3", "gs")
LIMITS = UpstreamLimits(attempts=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@asynccontextmanager
async def tls_server(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A server that answers `{}` to everything, by plain HTTP if *context* is None; its port."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def reason(kind: str, url: str, bundle: Path | None) -> str:
    """Why an object at *url* cannot be read; empty if it can."""
    if kind == "http":
        access = BucketAccess(parse_ref(f"{url}/em"), ca_bundle=bundle)
    else:
        access = BucketAccess(parse_ref(f"{kind}://b/em"), url, "us-east-1", anonymous=True, ca_bundle=bundle)
    try:
        store = await open_store(access, LIMITS, environ={})
        try:
            await store.get("info", max_size=9)
        finally:
            await store.close()
    except StoreError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_each_cause_has_its_sentence(kind: str, authority: Authority) -> None:
    contexts = {
        "": authority.server_context("127.0.0.1"),
        "is for another host name than 127.0.0.1": authority.server_context("other.example"),
        "has expired": authority.server_context("127.0.0.1", begins=-DAY, ends=-DAY / 2),
        "is not valid yet": authority.server_context("127.0.0.1", begins=DAY / 2, ends=DAY),
        "does not speak TLS at this port; write http://": None,
    }
    for words, context in contexts.items():
        async with tls_server(context) as port:
            said = await reason(kind, f"https://127.0.0.1:{port}", authority.bundle)
        assert words in said, kind
        assert bool(words) == bool(said), said
        assert "not trusted" not in said


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_an_unknown_authority_is_told_from_all_others(kind: str, authority: Authority) -> None:
    async with tls_server(authority.server_context("127.0.0.1")) as port:
        said = await reason(kind, f"https://127.0.0.1:{port}", None)
    assert "certificate is not trusted; set ca_bundle" in said


async def test_f28_a_bucket_with_dots_is_advised_to_use_the_path(authority: Authority) -> None:
    context = authority.server_context("localhost", "*.localhost")
    async with tls_server(context) as port:
        url = f"https://localhost:{port}"
        access = BucketAccess(
            parse_ref("s3://my.bucket/em"), url, "us-east-1", anonymous=True, ca_bundle=authority.bundle
        )
        store = await open_store(access, LIMITS, environ={})
        assert await store.get("info", max_size=9) is not None
        await store.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_http_to_a_tls_port_asks_for_https(kind: str, authority: Authority) -> None:
    async with tls_server(authority.server_context("127.0.0.1")) as port:
        assert "HTTPS at this port, write https://" in await reason(kind, f"http://127.0.0.1:{port}", None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<h1>400 Bad Request</h1><center>The plain HTTP request was sent to HTTPS port</center>",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    ],
    ids=["Go", "nginx", "Apache"],
)
async def test_f28_servers_that_say_so_are_understood(kind: str, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=400, text=body)

    async with serve(answer) as server:
        said = await reason(kind, server.url, None)
    assert "HTTPS at this port; write https://" in said
    assert "answers 400" not in said


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_a_tls_alert_is_not_malformed_http(kind: str) -> None:
    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(alert, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert "HTTPS at this port; write https://" in await reason(kind, f"http://127.0.0.1:{port}", None)


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_a_server_that_hangs_up_on_a_handshake_is_told_from_a_dead_one(kind: str) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        said = await reason(kind, f"https://127.0.0.1:{port}", None)
    assert "closes the connection at once; does this port speak the scheme" in said


async def test_f28_an_intermediate_authority_in_the_bundle_is_enough(authority: Authority) -> None:
    """As for curl and Go (cpython issue 107361)."""
    below = authority.intermediate()
    async with tls_server(below.server_context("127.0.0.1")) as port:
        assert await reason("http", f"https://127.0.0.1:{port}", below.bundle) == ""


async def test_f28_a_bundle_is_not_checked_more_strictly_by_newer_pythons(authority: Authority) -> None:
    """Authorities of inspecting proxies break RFC 5280 (cpython issue 138193, urllib3 issue 3665)."""
    async with tls_server(authority.server_context("127.0.0.1", is_strict=False)) as port:
        assert await reason("http", f"https://127.0.0.1:{port}", authority.bundle) == ""


async def test_f28_a_certificate_that_a_strict_python_refuses_is_explained(authority: Authority) -> None:
    strict = ssl.create_default_context(cafile=authority.bundle)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    async with (
        tls_server(authority.server_context("127.0.0.1", is_strict=False)) as port,
        open_session_via(None, strict, aiohttp.ClientTimeout(5)) as session,
    ):
        with pytest.raises(StoreError) as caught, translate_connection_errors("x"):
            await session.get(f"https://127.0.0.1:{port}")
    assert "breaks RFC 5280 (Missing Authority Key Identifier), which this Python checks" in str(caught.value)


@contextmanager
def refusing_handshakes(context: ssl.SSLContext) -> Iterator[int]:
    """A server that OpenSSL speaks for to the end, so that its alerts arrive; yields its port."""

    def answer() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("newest", "words"),
    [
        (ssl.TLSVersion.TLSv1_2, "no cipher in common with this OpenSSL, or wants a client certificate"),
        (
            ssl.TLSVersion.TLSv1_3,
            "certificate required; the server wants a client certificate, and dvidpc has",
        ),
    ],
)
async def test_f28_a_server_that_wants_a_client_certificate_is_explained(
    newest: ssl.TLSVersion, words: str, authority: Authority
) -> None:
    """With TLS 1.3, the refusal comes after the handshake (akash-network/console pull request 3647)."""
    context = authority.server_context("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.bundle)
    context.maximum_version = newest
    with refusing_handshakes(context) as port:
        assert words in await reason("http", f"https://127.0.0.1:{port}", authority.bundle)


@pytest.mark.parametrize("kind", KINDS)
async def test_f28_nginx_that_wants_a_client_certificate_is_understood(kind: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=400, text="<center>No required SSL certificate was sent</center>")

    async with serve(answer) as server:
        assert "the server wants a client certificate" in await reason(kind, server.url, None)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_f28_a_server_with_tls_of_long_ago_is_explained(authority: Authority) -> None:
    """Appliances whose TLS is never updated (urllib3 issue 2653)."""
    context = authority.server_context("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with refusing_handshakes(context) as port:
        said = await reason("http", f"https://127.0.0.1:{port}", authority.bundle)
    assert "the server's TLS is too old or too weak for this OpenSSL: update it" in said


@pytest.mark.parametrize("names", [("SSL_CERT_FILE", "SSL_CERT_DIR")])
async def test_f28_a_machine_without_authorities_is_explained(
    names: tuple[str, ...], authority: Authority, tmp_path: Path
) -> None:
    """A slim container, or a variable of conda that names no file (anaconda-issues issue 13509)."""
    async with tls_server(authority.server_context("127.0.0.1")) as port:
        text = config_text({"em": f"https://127.0.0.1:{port}/em"})
        environ = {**os.environ, **dict.fromkeys(names, str(tmp_path / "nowhere"))}
        said = await check(tmp_path, text, environ=environ)
    assert said.code == 1
    assert (
        "is not trusted; set ca_bundle to trust another authority. This machine has no certificates"
        in said.out
    )
