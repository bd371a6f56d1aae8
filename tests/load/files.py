"""F22: more clients than the server's 128 file descriptors: no busy loop, no wrong data, full recovery."""

import asyncio
import resource
import time

import aiohttp

from tests.faulty.truth import blocks_path, write_truth
from tests.load.place import SERVER, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec

DESCRIPTORS = 128
CLIENTS = 300
SECONDS = 5
LIMITS = "[limits]\nheader_timeout = 60\n"


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        truth = write_truth(directory / "em", VolumeSpec())
        path = blocks_path(f"/api/node/{UUID}", "em", truth.blocks)
        async with place(config_text({"em": directory / "em"}, SERVER + LIMITS), directory) as server:
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
            host, _, port = server.url.removeprefix("http://").rpartition(":")
            idle = [await asyncio.open_connection(host, int(port)) for _ in range(CLIENTS)]
            await asyncio.sleep(1)
            used = sum(server.process.cpu_times()[:2])
            await asyncio.sleep(SECONDS)
            used = sum(server.process.cpu_times()[:2]) - used
            open_files = server.process.num_fds()
            for _, writer in idle:
                writer.transport.abort()
            left = time.perf_counter()
            patience = aiohttp.ClientTimeout(30)
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.get(server.url + path) as answer,
            ):
                body = await answer.read()
                assert answer.status == 200, body
            well = time.perf_counter() - left
            lines = len(server.log.read_text().splitlines())
    return {
        "descriptors in use": f"{open_files} of {DESCRIPTORS}",
        "CPU seconds meanwhile": f"{used:.2f} in {SECONDS} s",
        "seconds until a right answer once they have left": round(well, 2),
        "wrong blocks of it": len(truth.wrong_in(truth.blocks, body)),
        "lines in the log": lines,
    }
