"""L9: read a working set of ten times the cache's size repeatedly for ten minutes."""

import asyncio
import os

from tests.load.place import METRICS, MIB, NODE, SERVER, place, scratch, wrk
from tests.load.rates import WARM_UP_S, bench_volume
from tests.serving import UUID

MINUTES = float(os.environ.get("MINUTES", "10"))
CONNECTIONS = 16
SAMPLE_EVERY_S = 5.0


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    volume = bench_volume()
    budget = volume.nbytes // 10
    section = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "file://{volume.path}"\n'
    text = f'[repo]\nuuid = "{UUID}"\n{section}{SERVER}{METRICS}[cache]\nmemory = {budget}\n'
    paths = [f"{NODE}/specificblocks?blocks={x},{y},{z}" for x, y, z in volume.blocks]
    with scratch() as directory:
        async with place(text, directory) as server:
            await wrk(server.url, paths, directory, connections=CONNECTIONS, seconds=WARM_UP_S)
            warm = server.resident
            load = asyncio.create_task(
                wrk(server.url, paths, directory, connections=CONNECTIONS, seconds=60 * MINUTES)
            )
            samples = []
            while not load.done():
                await asyncio.wait([load], timeout=SAMPLE_EVERY_S)
                samples.append(server.resident)
            metrics = await server.metrics()
            tenth = max(1, len(samples) // 10)
            return {
                "minutes": MINUTES,
                "MiB of blocks, and of cache": [round(volume.nbytes / MIB, 1), round(budget / MIB, 1)],
                "requests/s": round((await load).rate),
                "errors": (await load).errors or 0,
                "evictions": metrics["dvidpc_cache_evictions_total{cache=blocks}"],
                "MiB resident when warm, and after each tenth": [
                    round(mib, 1) for mib in (warm, *samples[tenth - 1 :: tenth])
                ],
                "MiB beyond the cache, most": round(max(samples) - budget / MIB, 1),
                "tracebacks in the log": server.tracebacks,
            }
