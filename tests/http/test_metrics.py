"""The numbers for Prometheus are right, and no client can make them many."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from dvidpc.http.metric_sources import METRICS
from dvidpc.http.metrics import metrics_app
from tests.commands import running
from tests.faulty.faults import BROKEN, Fault
from tests.faulty.site import faulty_site, limits_section
from tests.servers import serve, serve_directory
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read_samples(text: str) -> Samples:
    """Every sample by name and labels, read by Prometheus's own parser."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value_of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


@asynccontextmanager
async def metrics_of(server: Server) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(TestServer(metrics_app(server.app[METRICS]))) as client:
        yield client


async def scrape(server: Server) -> Samples:
    async with metrics_of(server) as client, client.get("/metrics") as response:
        assert response.status == 200
        return read_samples(await response.text())


async def test_upstream_and_cache_numbers_agree_with_what_the_bucket_saw(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg", sharding=sharding()))
    directory = serve_directory(tmp_path / "volume")
    async with serve(directory) as bucket, serving(config_text({"em": bucket.url}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0,1,0,0,1,1,1"
        cold = await server.get(path)
        assert await server.get(path) == cold
        samples = await scrape(server)
        assert value_of(samples, "dvidpc_upstream_requests_total", store="em") == len(bucket.asked)
    assert value_of(samples, "dvidpc_cache_hits_total", cache="blocks") == 3
    assert value_of(samples, "dvidpc_cache_misses_total", cache="blocks") == 4, "one was tried for volume_up"
    assert value_of(samples, "dvidpc_cache_bytes", cache="blocks") > 0
    assert value_of(samples, "dvidpc_requests_total", endpoint="specificblocks", status="200") == 2
    assert value_of(samples, "dvidpc_request_seconds_count", endpoint="specificblocks") == 2
    assert value_of(samples, "dvidpc_blocks_total", endpoint="specificblocks") == 6
    assert value_of(samples, "dvidpc_response_bytes_total", endpoint="specificblocks") >= 2 * len(cold)
    assert value_of(samples, "dvidpc_volume_up", store="em") == 1
    assert value_of(samples, "dvidpc_requests_in_flight") == 0


async def test_the_disk_cache_is_counted_if_there_is_one(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg", sharding=sharding()))
    disk = f'[cache]\ndisk = "64MiB"\ndisk_path = "{tmp_path}/disk"\n'
    async with serve(serve_directory(tmp_path / "volume")) as bucket:
        text = config_text({"em": bucket.url})
        async with serving(text, tmp_path) as server:
            assert not [name for name, _ in await scrape(server) if name.startswith("dvidpc_disk_cache")]
        async with serving(text + disk, tmp_path) as server:
            path = f"{server.node}/em/specificblocks?blocks=0,0,0,1,0,0,1,1,1"
            cold = await server.get(path)
            samples = await scrape(server)
            assert value_of(samples, "dvidpc_disk_cache_hits_total") == 0
            assert value_of(samples, "dvidpc_disk_cache_misses_total") > 3
            assert value_of(samples, "dvidpc_disk_cache_writable") == 1
            assert value_of(samples, "dvidpc_disk_cache_limit_bytes") == 2**26
            cache = server.app[METRICS].disk
            assert cache is not None
            await cache.flush()
        async with serving(text + disk, tmp_path) as server:
            assert await server.get(path) == cold
            samples = await scrape(server)
    assert value_of(samples, "dvidpc_disk_cache_hits_total") > 3
    assert value_of(samples, "dvidpc_disk_cache_misses_total") <= 1, "the probed block, and no other"
    assert value_of(samples, "dvidpc_disk_cache_read_bytes_total") > 3
    assert value_of(samples, "dvidpc_disk_cache_entries") > 3
    assert 0 < value_of(samples, "dvidpc_disk_cache_bytes") < 2**26
    for count in ("stale", "compared", "evictions", "errors", "dropped"):
        assert value_of(samples, f"dvidpc_disk_cache_{count}_total") == 0


async def test_retries_and_errors_are_counted_by_kind(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    directory = serve_directory(tmp_path / "volume")
    failures = iter([500, 503])

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path != "/info" and (status := next(failures, None)):
            return web.Response(status=status)
        return await directory(request)

    async with serve(answer) as bucket, serving(config_text({"em": bucket.url}), tmp_path) as server:
        assert await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0")
        samples = await scrape(server)
    assert value_of(samples, "dvidpc_upstream_retries_total", store="em") == 2
    assert value_of(samples, "dvidpc_upstream_errors_total", store="em", kind="failed") == 2
    assert value_of(samples, "dvidpc_upstream_errors_total", store="em", kind="timeout") == 0


async def test_a_bucket_left_alone_and_those_who_wait_are_shown(tmp_path: Path) -> None:
    limits = limits_section(max_in_flight=1, first_byte_timeout=20, attempt_timeout=20, request_deadline=20)
    async with faulty_site(tmp_path, "http", limits=limits) as site:
        blocks = site.truth.blocks[:1]
        samples = await scrape(site.server)
        assert value_of(samples, "dvidpc_upstream_breaker_open", store="em") == 0
        assert value_of(samples, "dvidpc_requests_waiting") == 0
        site.bucket.rule("em/s0/*", Fault(delay_s=20))
        busy = [asyncio.create_task(site.status(blocks)) for _ in range(3)]
        async with asyncio.timeout(10):
            while value_of(await scrape(site.server), "dvidpc_requests_waiting") != 2:  # noqa: ASYNC110 - a queue has no event
                await asyncio.sleep(0)
        for task in busy:
            task.cancel()
        await asyncio.wait(busy)
        site.bucket.heal()
        site.bucket.rule("*", BROKEN)
        async with asyncio.timeout(30):
            while value_of(await scrape(site.server), "dvidpc_upstream_breaker_open", store="em") != 1:
                assert await site.status(blocks) == 503


async def test_what_is_served_too_old_is_counted(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        assert value_of(await scrape(server), "dvidpc_cache_stale_total", cache="blocks") == 0
        server.app[METRICS].caches["blocks"].counts.stale += 1
        assert value_of(await scrape(server), "dvidpc_cache_stale_total", cache="blocks") == 1


async def test_blocks_left_out_are_counted(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    for chunk in (tmp_path / "volume" / "s0").iterdir():
        chunk.write_bytes(b"short")
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        assert await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0,1,1,1&app=lowtis") == b""
        samples = await scrape(server)
    assert value_of(samples, "dvidpc_omitted_blocks_total", endpoint="specificblocks") == 2


async def test_unknown_names_create_no_series(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        wrong = ["/{n}", "/api/{n}", "/api/node/{n}/em/info", "/api/node/1/em{n}/info", "/page/{n}"]
        wrong += [f"{server.node}/em/call{{n}}", f"{server.node}/em/info?app={{n}}&u={{n}}"]
        for path in wrong:
            async with server.session.request("GET", f"{server.url}{path.format(n=0)}"):
                pass
        before = await scrape(server)
        for number in range(1, 300):
            for path in wrong:
                async with server.session.request("GET", f"{server.url}{path.format(n=number)}"):
                    pass
        assert (await scrape(server)).keys() == before.keys()


async def test_volume_that_cannot_be_read_is_down_until_it_can(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    directory = serve_directory(tmp_path / "volume")
    is_down = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=403) if is_down.is_set() else await directory(request)

    async with serve(answer) as bucket, serving(config_text({"em": bucket.url}), tmp_path) as server:
        is_down.set()
        assert value_of(await scrape(server), "dvidpc_volume_up", store="em") == 0
        status, text = await server.error("/readyz")
        assert status == 503
        assert re.match(r"store em: http://\S+ cannot be read: .*403", text)
        asked = len(bucket.asked)
        await server.error("/readyz")
        assert len(bucket.asked) == asked  # a finding is kept for a while


async def test_command_serves_metrics_and_shows_what_it_serves(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg", scale_levels=2))
    more = '[server]\nhttpAddress = "localhost:0"\n[metrics]\naddress = "localhost:0"\n'
    text = config_text({"em": tmp_path / "volume", "gone": tmp_path / "nowhere"}, more)
    async with running(text, tmp_path) as command:
        url = (await command.read_until(r"metrics at (\S+)"))[1]
        await command.read_until("web server listening")
        client = await asyncio.create_subprocess_exec("curl", "-s", url, stdout=asyncio.subprocess.PIPE)
        output, _ = await client.communicate()
    samples = read_samples(output.decode())
    assert value_of(samples, "dvidpc_instances") == 2
    assert value_of(samples, "dvidpc_volume_up", store="gone") == 0
    lines = [line.split("Z INFO  ")[1] for line in command.lines if "Z INFO  " in line]
    table = lines[lines.index(next(line for line in lines if line.startswith("STORE"))) :]
    assert [re.split(r"\s{2,}", line) for line in table[:3]] == [
        ["STORE", "INSTANCE", "SCALE", "SIZE", "RESOLUTION NM", "STORED AS", "SERVED"],
        ["em", "em", "0", "150 x 130 x 100", "8 x 8 x 8", "jpeg chunks of 64 x 64 x 64", "as stored"],
        ["em", "em_1", "1", "75 x 65 x 50", "16 x 16 x 16", "jpeg chunks of 64 x 64 x 64", "as stored"],
    ]
    assert table[3].startswith("gone  not served: ")
