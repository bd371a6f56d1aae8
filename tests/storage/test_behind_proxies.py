"""Buckets, listings, inspections, tokens and metadata are reached through the proxy of the environment."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from dvidpc.errors import ConfigError, CredentialsError, StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import parse_ref
from tests.proxies import Proxy, make_certificate, run_http_proxy, run_socks_proxy
from tests.servers import WebServer, serve
from tests.storage.conftest import write_keys

LIMITS = UpstreamLimits(attempts=1)
LISTING = """<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>
<Contents><Key>info</Key><Size>2</Size></Contents></ListBucketResult>"""
HOSTS = ("bucket.invalid", "token.invalid")


async def answer(request: web.Request) -> web.Response:
    """Be S3, Google's storage, its token service, and a web server."""
    if request.path == "/token":
        return web.json_response({"access_token": "made-up-token", "expires_in": 3600})
    if request.path.startswith("/storage/v1/"):
        return web.json_response({"items": [{"name": "info", "size": "2"}], "permissions": []})
    if "list-type" in request.query:
        return web.Response(text=LISTING, content_type="application/xml")
    return web.Response(status=200 if request.method in {"GET", "HEAD"} else 403, body=b"{}")


@pytest_asyncio.fixture
async def plain() -> AsyncIterator[WebServer]:
    async with serve(answer) as server:
        yield server


def run(scheme: str) -> AbstractAsyncContextManager[Proxy]:
    return run_socks_proxy() if scheme.startswith("socks") else run_http_proxy()


def google_key(folder: Path, token_uri: str) -> dict[str, str]:
    file = folder / "adc.json"
    key = {"client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": token_uri}
    file.write_text(json.dumps({**key, "type": "authorized_user"}))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}


def access_to(kind: str, endpoint: str) -> BucketAccess:
    ref = f"{endpoint}/bucket" if kind == "http" else f"{kind}://bucket"
    at = None if kind == "http" else endpoint
    return BucketAccess(parse_ref(ref), endpoint=at, region="us-east-1" if kind == "s3" else None)


async def use(access: BucketAccess, environ: dict[str, str]) -> None:
    """Read, list and inspect."""
    store = await open_store(access, LIMITS, environ=environ)
    try:
        assert await store.get("info", max_size=9) is not None
    finally:
        await store.close()
    lister = await open_lister(access, LIMITS, environ=environ)
    if lister is not None:
        try:
            assert [page async for page in lister.list_below("")] == [[("info", 2)]]
        finally:
            await lister.close()
    await inspect_bucket(access, environ)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h", "socks4a"])
@pytest.mark.parametrize("kind", ["s3", "gs", "http"])
async def test_everything_takes_the_proxy(
    plain: WebServer, tmp_path: Path, kind: str, scheme: str, variable: str
) -> None:
    write_keys(tmp_path / "aws-credentials", "AKIDTEST", "made-up-secret")
    port = int(plain.url.rpartition(":")[2])
    async with run(scheme) as proxy:
        environ = {variable: proxy.url(scheme), **google_key(tmp_path, f"http://token.invalid:{port}/token")}
        await use(access_to(kind, f"http://bucket.invalid:{port}"), environ)
    assert set(proxy.asked) == (set(HOSTS) if kind == "gs" else {"bucket.invalid"})
    assert len(proxy.asked) >= (1 if kind == "http" else 3)


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("kind", ["s3", "gs"])
async def test_tls_is_end_to_end_through_the_proxy(
    tmp_path: Path, kind: str, scheme: str, variable: str
) -> None:
    write_keys(tmp_path / "aws-credentials", "AKIDTEST", "made-up-secret")
    tls, bundle = make_certificate(tmp_path, *HOSTS)
    async with serve(answer, tls) as server, run(scheme) as proxy:
        port = int(server.url.rpartition(":")[2])
        environ = {variable: proxy.url(scheme), **google_key(tmp_path, f"https://token.invalid:{port}/token")}
        access = access_to(kind, f"https://bucket.invalid:{port}")
        with pytest.raises(StoreError):
            await use(access, environ)
        await use(replace(access, ca_bundle=bundle), environ)
    assert set(proxy.asked) == (set(HOSTS) if kind == "gs" else {"bucket.invalid"})


async def test_proxy_may_itself_be_spoken_to_by_tls(plain: WebServer, tmp_path: Path) -> None:
    tls, bundle = make_certificate(tmp_path, "localhost", *HOSTS)
    async with serve(answer, tls) as server, run_http_proxy(tls) as proxy:
        environ = {"all_proxy": f"https://localhost:{proxy.port}"}
        for url in (plain.url, server.url):
            address = url.replace("127.0.0.1", "bucket.invalid")
            access = replace(access_to("gs", address), anonymous=True, ca_bundle=bundle)
            store = await open_store(access, LIMITS, environ=environ)
            assert await store.get("info", max_size=9) is not None
            await store.close()
    assert proxy.asked == ["bucket.invalid"] * 2


async def test_proxy_that_wants_a_login_says_so() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=407)

    async with serve(refuse) as proxy:
        store = await open_store(
            access_to("http", "http://bucket.invalid"), LIMITS, environ={"http_proxy": proxy.url}
        )
        with pytest.raises(StoreError, match="the proxy wants a login; write it in the variable"):
            await store.get("info", max_size=9)
        await store.close()


async def test_old_socks_proxies_are_given_addresses(plain: WebServer) -> None:
    port = int(plain.url.rpartition(":")[2])
    async with run_socks_proxy() as proxy:
        environ = {"all_proxy": proxy.url("socks4")}
        store = await open_store(access_to("http", f"http://192.0.2.1:{port}"), LIMITS, environ=environ)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert proxy.asked == ["192.0.2.1"]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_proxy_may_differ_between_bucket_and_token_service(
    plain: WebServer, tmp_path: Path, scheme: str
) -> None:
    port = int(plain.url.rpartition(":")[2])
    async with run(scheme) as proxy:
        environ = {
            "all_proxy": proxy.url(scheme),
            "no_proxy": f"127.0.0.0/8,elsewhere:{port}",
            **google_key(tmp_path, f"http://token.invalid:{port}/token"),
        }
        await use(access_to("gs", plain.url), environ)
    assert set(proxy.asked) == {"token.invalid"}


async def test_aws_roles_are_assumed_through_the_proxy(
    plain: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("made-up")
    port = int(plain.url.rpartition(":")[2])
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://sts.invalid:{port}")
    async with run_socks_proxy() as proxy:
        with pytest.raises(CredentialsError, match="assume-role-with-web-identity"):
            await open_store(access_to("s3", plain.url), LIMITS, environ={"ALL_PROXY": proxy.url("socks5")})
    assert set(proxy.asked) == {"sts.invalid"}


@pytest.mark.parametrize("kind", ["s3", "gs", "http"])
@pytest.mark.parametrize(
    "value", ["http://proxy:port", "ftp://proxy:21", "http://", "socks6://me:hunter2@proxy", "http://[::1"]
)
async def test_proxy_that_cannot_be_used_is_refused_and_the_variable_named(kind: str, value: str) -> None:
    access = replace(access_to(kind, "http://bucket.invalid"), anonymous=True)
    with pytest.raises(ConfigError, match="http_proxy in the environment") as caught:
        await open_store(access, LIMITS, environ={"http_proxy": value})
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4a"])
async def test_proxy_that_is_away_or_refuses_is_named_without_its_password(scheme: str) -> None:
    environ = {"all_proxy": f"{scheme}://me:hunter2@127.0.0.1:1"}
    store = await open_store(access_to("http", "http://bucket.invalid"), LIMITS, environ=environ)
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        await store.get("info", max_size=9)
    await store.close()
    assert "hunter2" not in str(caught.value)


async def test_proxy_that_is_no_socks_proxy_is_an_error_of_the_store(plain: WebServer) -> None:
    environ = {"all_proxy": plain.url.replace("http", "socks5")}
    store = await open_store(access_to("http", "http://bucket.invalid"), LIMITS, environ=environ)
    with pytest.raises(StoreError, match=r"proxy|in time"):
        await store.get("info", max_size=9)
    await store.close()


@pytest.mark.parametrize("kind", ["s3", "gs", "http"])
@pytest.mark.parametrize(("status", "error"), [(403, "ERR_ACCESS_DENIED"), (503, "ERR_DNS_FAIL")])
async def test_what_the_proxy_answers_in_place_of_the_server_is_said_to_be_the_proxys(
    kind: str, status: int, error: str, tmp_path: Path
) -> None:
    """Squid's rules and errors (localstack issue 10128, mozilla/identity-ops issue 34)."""

    async def squid(request: web.Request) -> web.Response:
        if request.path == "/token":
            return await answer(request)
        return web.Response(status=status, headers={"X-Squid-Error": f"{error} 0"}, text="<html>")

    write_keys(tmp_path / "aws-credentials", "AKIDTEST", "made-up-secret")
    async with serve(squid) as proxy:
        environ = {"http_proxy": proxy.url, **google_key(tmp_path, "http://token.invalid/token")}
        access = replace(
            access_to(kind, "http://bucket.invalid"), missing_status=frozenset({403, 404}), anonymous=False
        )
        store = await open_store(access, LIMITS, environ=environ)
        with pytest.raises(StoreError) as caught:
            await store.get("0-64", max_size=9)
        await store.close()
    assert f"the proxy answers {status} {error}, not the server; look at no_proxy" in str(caught.value)
