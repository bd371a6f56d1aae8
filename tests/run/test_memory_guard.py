"""Requests are refused with Retry-After while memory is short, and answered again afterwards."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dvidpc.config import load_config
from dvidpc.http.metric_sources import METRICS
from dvidpc.run.app import make_app
from dvidpc.run.memory import PROBE_EVERY_S, Bound, MemoryGuard, read_bounds
from dvidpc.run.server import make_runner
from dvidpc.tasks import abandon
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

BLOCK = f"/api/node/{UUID}/em/specificblocks?blocks=0,0,0"


async def until(server: Server, status: int) -> tuple[str | None, str]:
    """Repeat a request until its status is *status*; return its Retry-After and its text."""
    async with asyncio.timeout(20):
        while True:
            async with server.ask("GET", BLOCK) as answer:
                text = (await answer.read()).decode("latin-1")
                if answer.status == status:
                    return answer.headers.get("Retry-After"), text
            await asyncio.sleep(0.02)


async def test_near_the_memory_limit_caches_are_evicted_and_requests_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    before = resource.getrlimit(resource.RLIMIT_AS)
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path, {}) as server:
        whole = await server.get(BLOCK)
        blocks = server.app[METRICS].caches["blocks"]
        assert blocks.nbytes > len(whole) // 2
        resource.setrlimit(resource.RLIMIT_AS, (2**46, before[1]))
        used = read_bounds()[0].used
        resource.setrlimit(resource.RLIMIT_AS, (used * 10 // 9, before[1]))
        try:
            retry_after, text = await until(server, 503)
            assert retry_after in {"1", "2", "3"}
            assert "memory is short" in text
            assert blocks.nbytes == 0
            assert await server.get("/healthz") == b"ok\n"
            assert await server.get("/api/repos/info")
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        await until(server, 200)
        assert await server.get(BLOCK) == whole
    assert "ulimit -v" in caplog.text
    assert "there is enough memory again" in caplog.text
    assert "Traceback" not in caplog.text


@asynccontextmanager
async def failing(directory: Path) -> AsyncIterator[str]:
    """Run a server with a handler that runs out of memory at `/fail`; yield its base URL."""
    write_volume(directory / "volume", VolumeSpec())
    path = directory / "config.toml"
    path.write_text(config_text({"em": directory / "volume"}))
    config = load_config(path)
    app = make_app(config, os.environ, time.time())

    async def fail(_request: web.Request) -> web.StreamResponse:
        raise MemoryError

    app.router.add_get("/fail", fail)
    runner = make_runner(app, config.limits)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_request_that_runs_out_of_memory_is_503(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with failing(tmp_path) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/fail") as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert await answer.text() == "out of memory; try again soon (/fail).\n"
        async with session.get(url + BLOCK) as answer:
            assert answer.status == 200
    assert "Traceback" not in caplog.text
    assert "bug" not in caplog.text


async def test_limits_are_compared_often_only_while_there_are_requests() -> None:
    probes = 0

    def bounds() -> list[Bound]:
        nonlocal probes
        probes += 1
        return []

    busy = asyncio.Event()
    watching = asyncio.create_task(MemoryGuard([], bounds).watch(busy))
    await asyncio.sleep(5 * PROBE_EVERY_S)
    assert probes == 1
    busy.set()
    async with asyncio.timeout(10):
        while probes < 4:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(PROBE_EVERY_S / 4)
    await abandon([watching])
