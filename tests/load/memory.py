"""F22: many large requests at once to a process with a small memory limit.

Run once with a sufficient limit, and once with a limit so low that a worker dies and is replaced.
"""

import asyncio
from collections import Counter

import aiohttp

from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.load.place import NODE, Place, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import XYZ, VolumeSpec

SIZE: XYZ = (1024, 1024, 128)
TURNS = 4
SHORT_MIB, TOO_SHORT_MIB = 1200, 500
PATIENCE_S = 60.0


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        truth = write_truth(directory / "em", VolumeSpec(size=SIZE))
        figures: dict[str, object] = {}
        for workers, mib in ((1, SHORT_MIB), (2, TOO_SHORT_MIB)):
            text = f'[server]\nhttpAddress = "127.0.0.1:0"\nshutdownDelay = 0\nworkers = {workers}\n'
            text = config_text({"em": directory / "em"}, text)
            async with place(text, directory, "prlimit", f"--as={mib * 2**20}") as server:
                name = f"address space of {mib} MiB, {workers} worker{'s' * (workers > 1)}"
                figures[name] = await _press(server, truth)
    return figures


async def _press(server: Place, truth: Truth) -> dict[str, object]:
    boxes = [f"{NODE}/raw/0_1_2/512_512_128/{x}_{y}_0" for x in (0, 256, 512) for y in (0, 128, 256, 512)]
    paths = [*boxes, *[blocks_path(f"/api/node/{UUID}", "em", truth.blocks)] * 3]
    paths += [f"{NODE}/subvolblocks/64_64_64/{64 * x}_0_0" for x in range(16)]
    answers: Counter[str] = Counter()
    timeout = aiohttp.ClientTimeout(60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for _ in range(TURNS):
            answers.update(await asyncio.gather(*(_ask(session, server.url + path) for path in paths * 2)))
        well_after = await _until_well(session, server, truth)
    log = server.log.read_text()
    return {
        "asked at a time": len(paths) * 2,
        "answers": answers,
        "seconds until all blocks came, and right": well_after,
        "workers that died": log.count("starting another"),
        "times memory was found to be short": log.count("dropping what is cached"),
        "tracebacks in the log": log.count("Traceback"),
    }


async def _ask(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(url) as answer:
            await answer.read()
            is_told = answer.status == 200 or "Retry-After" in answer.headers
            return f"{answer.status}{'' if is_told else ' without Retry-After'}"
    except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError):
        return "no answer"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"cut off: {type(error).__name__}"


async def _until_well(session: aiohttp.ClientSession, server: Place, truth: Truth) -> float | None:
    """Return the seconds until every block was served, one at a time; None if some never was."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() < began + PATIENCE_S:
        if all([await _is_right(session, server, truth, block) for block in truth.blocks[:64]]):
            return round(loop.time() - began, 1)
        await asyncio.sleep(0.2)
    return None


async def _is_right(session: aiohttp.ClientSession, server: Place, truth: Truth, block: XYZ) -> bool:
    try:
        async with session.get(server.url + blocks_path(f"/api/node/{UUID}", "em", [block])) as answer:
            body = await answer.read()
    except aiohttp.ClientError:
        return False
    return answer.status == 200 and not truth.wrong_in([block], body)
