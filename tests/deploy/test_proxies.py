"""The nginx and HAProxy configurations in deploy/ pass requests and answers through unchanged."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.balancer import RECIPE, listening
from tests.faulty.faults import Fault
from tests.faulty.site import faulty_site
from tests.logged import logging_to, request_fields
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

DEPLOY = Path(__file__).parents[2] / "deploy"
START_S = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx_command(directory: Path, front: int, back: int) -> list[str]:
    recipe = (DEPLOY / "nginx.conf").read_text()
    recipe = recipe.replace("listen 8080;", f"listen 127.0.0.1:{front};").replace(":8000;", f":{back};")
    temporary = "".join(
        f"{kind}_temp_path {directory};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = directory / "nginx.conf"
    path.write_text(
        f"daemon off; master_process off; pid {directory}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{\n{temporary}access_log off;\n{recipe}\n}}\n"
    )
    return ["nginx", "-c", str(path), "-p", str(directory)]


def haproxy_command(directory: Path, front: int, back: int) -> list[str]:
    path = directory / "haproxy.cfg"
    path.write_text(listening(RECIPE.read_text(), directory, front, {"one": f"127.0.0.1:{back}"}))
    return ["haproxy", "-db", "-f", str(path)]


FRONTS = [
    pytest.param(
        make,
        marks=pytest.mark.skipif(not shutil.which(name), reason=f"needs Debian's package {name}"),
        id=name,
    )
    for name, make in (("nginx", nginx_command), ("haproxy", haproxy_command))
]


@asynccontextmanager
async def behind(
    make: Callable[[Path, int, int], list[str]], server: Server, directory: Path
) -> AsyncIterator[str]:
    """Run a proxy in front of *server* and yield its base URL."""
    front, back = free_port(), URL(server.url).port
    assert back is not None
    process = await asyncio.create_subprocess_exec(*make(directory, front, back))
    url = f"http://127.0.0.1:{front}"
    try:
        async with asyncio.timeout(START_S):
            while not await answers(server.session, f"{url}/readyz"):
                assert process.returncode is None
                await asyncio.sleep(0.02)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.parametrize("make", FRONTS)
async def test_proxy_passes_requests_of_a_thousand_blocks(
    make: Callable[[Path, int, int], list[str]], tmp_path: Path
) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg"))
    log = tmp_path / "log"
    with logging_to(log, "json"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            blocks = "%2C".join(str(1000 + number % 3) for number in range(3000)) + "%2C0%2C0%2C0"
            path = f"{server.node}/em/specificblocks?blocks={blocks}"
            assert len(path) > 20_000
            expected = await server.get(path)
            async with behind(make, server, tmp_path) as url:
                async with server.session.get(URL(f"{url}{path}", encoded=True)) as response:
                    assert (response.status, await response.read()) == (200, expected)
                async with server.session.get(f"{url}/nowhere") as response:
                    assert response.status == 404
                    given_back = response.headers["X-Request-Id"]
    assert request_fields(log)[-1]["id"] == given_back
    assert re.fullmatch(r"[\w.-]{8,64}", given_back)


def plain_nginx_command(directory: Path, front: int, back: int) -> list[str]:
    """Return a command for nginx as it is by default: it speaks HTTP/1.0 to the server."""
    command = nginx_command(directory, front, back)
    path = directory / "nginx.conf"
    text = re.sub(r"proxy_http_version[^;]*;|proxy_set_header Connection[^;]*;", "", path.read_text())
    path.write_text(text)
    return command


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs Debian's package nginx")
async def test_an_answer_that_is_cut_off_is_cut_off_behind_a_plain_nginx(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(64 * 9, 128, 64))
    more = "[cache]\nmemory = 0\nindex_memory = 0"
    async with (
        faulty_site(tmp_path, "http", spec, more) as site,
        behind(plain_nginx_command, site.server, tmp_path) as url,
    ):
        blocks = sorted(site.truth.blocks, key=lambda block: block == (8, 1, 0))
        async with site.server.session.get(url + site.path(blocks)) as answer:
            assert site.truth.wrong_in(blocks, await answer.read()) == []
        site.bucket.rule("em/s0/512-576_64-128_0-64", Fault(status=500, delay_s=0.1))
        async with site.server.session.get(url + site.path(blocks)) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
