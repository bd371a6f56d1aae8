"""L14: start-up with 200 volumes, five of which are unreachable, each in a different way."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.load.place import SERVER, free_ports, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec, write_volume

VOLUMES = 200


async def measure() -> dict[str, object]:
    """Return the figures, with and without an unreachable volume that hangs."""
    return {
        "with one that hangs": await _start(hangs=True),
        "with none that hangs": await _start(hangs=False),
    }


async def _start(*, hangs: bool) -> dict[str, object]:
    with scratch() as directory, free_ports(3) as closed:
        alive = [f"em{number}" for number in range(VOLUMES - 5)]
        _write(directory, alive)
        async with _hanging() as port:
            stores: dict[str, Path | str] = {name: directory / name for name in alive}
            stores["gone"] = directory / "nowhere"
            stores["broken"] = directory / "broken"
            stores["refused"] = f"http://127.0.0.1:{closed[0]}/em"
            stores["also_refused"] = f"http://127.0.0.1:{closed[1]}/em"
            stores["last"] = f"http://127.0.0.1:{port if hangs else closed[2]}/em"
            began = time.perf_counter()
            async with place(config_text(stores, SERVER), directory) as server:
                ready = time.perf_counter() - began
                async with aiohttp.ClientSession() as session:
                    served = 0
                    for name in alive:
                        path = f"/api/node/{UUID}/{name}/specificblocks?blocks=0,0,0"
                        async with session.get(server.url + path) as answer:
                            served += answer.status == 200 and len(await answer.read()) > 0
                    async with session.get(f"{server.url}/readyz") as answer:
                        named = [line.split()[1] for line in (await answer.text()).splitlines()]
                in_table = server.log.read_text().count("not served: ")
    return {
        "seconds from the command to the first answer": round(ready, 2),
        "volumes served": f"{served} of {len(alive)}",
        "/readyz names": named,
        "named in the table of the log": in_table,
    }


def _write(directory: Path, names: list[str]) -> None:
    write_volume(directory / names[0], VolumeSpec(size=(64, 64, 64)))
    for name in names[1:]:
        shutil.copytree(directory / names[0], directory / name)
    (directory / "broken").mkdir()
    (directory / "broken" / "info").write_text('{"type": "image"')


@asynccontextmanager
async def _hanging() -> AsyncIterator[int]:
    """Yield the port of a server that accepts connections and never answers."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
