"""L7: 2,000 idle keep-alive connections while 200 more request cached blocks."""

import asyncio
from pathlib import Path

import aiohttp

from tests.load.place import NODE, SERVER, Load, Probe, centile, place, scratch, wrk
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume

IDLE = 2000
ACTIVE = 200
SECONDS = 10
BLOCK = f"{NODE}/subvolblocks/64_64_64/0_0_0"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        write_volume(directory / "em", VolumeSpec(encoding="jpeg"))
        async with place(config_text({"em": directory / "em"}, SERVER), directory) as server:
            async with aiohttp.ClientSession() as session, session.get(server.url + BLOCK) as answer:
                assert answer.status == 200
                await answer.read()
            before = server.resident
            idle = [await _use_once(server.url) for _ in range(IDLE)]
            with_idle = server.resident
            load, probe = await _ask_actively(server.url, directory)
            after = server.resident
            alive = sum([await _is_alive(stream) for stream in idle])
            for _, writer in idle:
                writer.close()
    return {
        "idle connections, still alive at the end": f"{alive} of {IDLE}",
        "active": f"{ACTIVE} for {SECONDS} s, {load.rate:.0f} requests/s",
        "errors of the active": load.errors or 0,
        "MiB for the idle": round(with_idle - before, 1),
        "MiB for all": round(after - before, 1),
        "/healthz ms, median, p99, most": [
            round(centile(probe.took, share), 1) for share in (0.5, 0.99, 1.0)
        ],
        "/healthz failed": f"{probe.failed} of {len(probe.took)}",
    }


async def _use_once(url: str) -> Stream:
    host, _, port = url.removeprefix("http://").rpartition(":")
    stream = await asyncio.open_connection(host, int(port))
    assert await _is_alive(stream)
    return stream


async def _is_alive(stream: Stream) -> bool:
    reader, writer = stream
    try:
        writer.write(HEALTH)
        head = await reader.readuntil(b"\r\n\r\n")
        return await reader.readexactly(3) == b"ok\n" and b" 200 " in head
    except (OSError, asyncio.IncompleteReadError):
        return False


async def _ask_actively(url: str, directory: Path) -> tuple[Load, Probe]:
    """Return wrk's report and the latencies of `/healthz` under this load."""
    probe = Probe(url)
    asking = asyncio.create_task(wrk(url, [BLOCK], directory, connections=ACTIVE, seconds=SECONDS))
    async with aiohttp.ClientSession() as session:
        while not asking.done():
            await probe.once(session)
            await asyncio.sleep(0.02)
    return await asking, probe
