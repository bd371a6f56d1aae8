"""Credentials appear in no answer and no log, whatever the bucket answers (row S2)."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.http.metric_sources import METRICS
from dvidpc.http.metrics import metrics_app
from tests.faulty.site import limits_section
from tests.servers import WebServer, serve, serve_directory
from tests.serving import Server, config_text, serving
from tests.storage.kinds import ACCESS_TOKEN, KEY_ID, SECRET, SESSION_TOKEN, write_credentials
from tests.volumes import VolumeSpec, write_volume

SIGNATURES = ("Signature=", "AWS4-HMAC", "Bearer ", b"AWS4-HMAC".hex(), b"Bearer ".hex())
Answer = Callable[[web.Request, WebServer], web.Response]


def echo(status: int, code: str, **headers: str) -> Answer:
    """Refuse, and quote the whole request, as S3 does for a signature that does not match."""

    def answer(request: web.Request, _: WebServer) -> web.Response:
        told = "".join(f"<Told>{name}: {value}</Told>" for name, value in request.headers.items())
        body = f"<Error><Code>{code}</Code>{told}</Error>"
        quoted = {"ETag": f'"{request.headers["Authorization"]}"', "X-Told": request.headers["Authorization"]}
        return web.Response(status=status, text=body, headers=quoted | headers)

    return answer


def cut(request: web.Request, _: WebServer) -> web.Response:
    """Break the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def redirect(request: web.Request, other: WebServer) -> web.Response:
    """Redirect to another host, with the secrets in the address."""
    where = f"{other.url}/?told={request.headers['Authorization'].encode().hex()}"
    return web.Response(status=307, headers={"Location": where})


ANSWERS: dict[str, Answer] = {
    "F9 another region": echo(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"}),
    "F9 another host": redirect,
    "F10 expired": echo(400, "ExpiredToken"),
    "F10 skewed": echo(403, "RequestTimeTooSkewed", Date="Wed, 01 Jan 2025 00:00:00 GMT"),
    "F11 refused": echo(403, "SignatureDoesNotMatch"),
    "busy": echo(503, "SlowDown"),
    "broken": echo(500, "InternalError"),
    "another object": echo(206, "", **{"Content-Range": "bytes 7-9/10"}),
    "cut": cut,
}


async def everything(server: Server) -> list[str]:
    """Return the text that a client gets."""
    told = []
    for path in (
        f"{server.node}/em/specificblocks?blocks=0,0,0",
        f"{server.node}/em/rawkey?x=0&y=0&z=0",
        f"{server.node}/em/info",
        "/api/server/config",
        "/api/server/info",
        "/readyz",
    ):
        async with server.ask("GET", path) as answer:
            told.append(f"{answer.status} {answer.headers} {await answer.text(errors='replace')}")
    return told


async def metrics(server: Server) -> str:
    runner = web.AppRunner(metrics_app(server.app[METRICS]), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with server.session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/metrics") as answer:
            return await answer.text()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", ["s3", "gs"])
async def test_no_answer_of_the_bucket_reveals_a_secret(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    write_volume(tmp_path / "files" / "bucket" / "em", VolumeSpec())
    files = serve_directory(tmp_path / "files")
    answer_with: Answer | None = None

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return web.json_response({"access_token": ACCESS_TOKEN, "expires_in": 3600})
        if answer_with is None or request.method == "HEAD":
            return await files(request)
        return answer_with(request, other)

    async def never(_: web.Request) -> web.Response:
        return web.Response()

    caplog.set_level(logging.DEBUG)
    async with serve(answer) as bucket, serve(never) as other:
        store = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "{kind}://bucket/em"\n'
        text = config_text({}, f'{store}endpoint = "{bucket.url}"\n{limits_section()}')
        environ = write_credentials(tmp_path, f"{bucket.url}/token")
        async with serving(text, tmp_path, environ) as server:
            told = await everything(server)
            assert told[0].startswith("200")
            for case in ANSWERS.values():
                answer_with = case
                told += await everything(server)
            told.append(await metrics(server))
        signed = [request.headers.get("Authorization", "") for request in bucket.asked]
        assert any(KEY_ID in value or ACCESS_TOKEN in value for value in signed)
        assert other.asked == []
    shown = "\n".join([*told, caplog.text])
    for secret in (SECRET, SESSION_TOKEN, ACCESS_TOKEN, *SIGNATURES):
        assert secret not in shown
