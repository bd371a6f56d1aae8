"""A bucket whose name does not resolve, and one whose certificate is not trusted (row F1)."""

import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from tests.faulty.bucket import BUCKET
from tests.faulty.site import limits_section
from tests.programs import need
from tests.servers import serve_directory
from tests.serving import UUID, config_text, serving
from tests.volumes import VolumeSpec, write_volume

BLOCKS = f"/api/node/{UUID}/em/specificblocks?blocks=0,0,0"


def store_at(url: str, kind: str) -> str:
    """Return the `[store.em]` section of a volume at *url*, reached as a web server or as S3."""
    where = f'ref = "{url}/em"\nanonymous = true'
    if kind == "s3":
        where = f'ref = "s3://{BUCKET}/em"\nendpoint = "{url}"\nregion = "us-east-1"\nanonymous = true\n'
    return f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\n{where}\n'


async def assert_refused(url: str, kind: str, directory: Path) -> None:
    """Check that the volume at *url* is not served, and that log, API and check all say why."""
    text = config_text({}, store_at(url, kind) + limits_section())
    async with serving(text, directory, {}) as server:
        status, reason = await server.error("/readyz")
        assert status == 503
        assert reason.startswith("store em: ")
        async with server.ask("GET", BLOCKS) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (503, "*")


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate and its key."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        [
            *(need("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.mark.parametrize("kind", ["http", "s3"])
async def test_f1_a_name_that_does_not_resolve_is_an_error(kind: str, tmp_path: Path) -> None:
    await assert_refused("https://no-such-host.invalid", kind, tmp_path)


@pytest.mark.parametrize("kind", ["http", "s3"])
async def test_f1_an_untrusted_certificate_is_refused(kind: str, tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    asked: list[str] = []
    directory = serve_directory(tmp_path / "volume")

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return await directory(request)

    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        await assert_refused(f"https://127.0.0.1:{runner.addresses[0][1]}", kind, tmp_path)
        assert asked == []
    finally:
        await runner.cleanup()


async def test_f21_data_of_a_volume_that_is_not_open_yet_is_503_and_other_names_are_unknown(
    tmp_path: Path,
) -> None:
    text = config_text({}, store_at("http://127.0.0.1:1", "http") + limits_section())
    async with serving(text, tmp_path, {}) as server:
        for name, expected in (("em", 503), ("em_3", 503), ("em_x", 400), ("other", 400), ("em_", 400)):
            status, reason = await server.error(f"{server.node}/{name}/info")
            assert status == expected, name
            assert ("store em: " in reason) == (expected == 503)
        assert (await server.error("/api/node/ffff/em/info"))[0] == 400
