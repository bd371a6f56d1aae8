"""L13: 50 clients that request 100 MiB and read nothing cost little, and are disconnected after a minute."""

import asyncio
import re
import socket
import time

import aiohttp

from tests.faulty.truth import blocks_path, write_truth
from tests.load.place import METRICS, MIB, SERVER, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec

CLIENTS = 50
BLOCKS = 400
"""Blocks of 256 KiB each, 100 MiB in total."""
STALL_S = 60.0
"""The default of `write_stall_timeout`."""


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        truth = write_truth(directory / "em", VolumeSpec(size=(512, 512, 512)))
        path = blocks_path(f"/api/node/{UUID}", "em", truth.blocks[:BLOCKS])
        text = config_text({"em": directory / "em"}, SERVER + METRICS)
        async with place(text, directory) as server, aiohttp.ClientSession() as session:
            for _ in range(2):  # what one reader costs is no cost of those who stall
                async with session.get(server.url + path) as answer:
                    assert len(await answer.read()) > BLOCKS * 64**3
            before = server.resident
            began = time.perf_counter()
            stalled = [_ask(server.url, path) for _ in range(CLIENTS)]
            most, cut_at = before, None
            while time.perf_counter() < began + STALL_S + 30:
                await asyncio.sleep(0.2)
                most = max(most, server.resident)
                cut = len(re.findall("write_stall_timeout", server.log.read_text()))
                if cut == CLIENTS:
                    cut_at = time.perf_counter() - began
                    break
            await asyncio.sleep(1)
            metrics = await server.metrics()
            for one in stalled:
                one.close()
            return {
                "MiB asked for by each": round(BLOCKS * 64**3 / MIB),
                "stalled, cut": [CLIENTS, cut],
                "seconds until the last was cut": None if cut_at is None else round(cut_at, 1),
                "MiB resident before, most, after": [
                    round(mib, 1) for mib in (before, most, server.resident)
                ],
                "in flight at the end": metrics["dvidpc_requests_in_flight"],
                "tracebacks in the log": server.tracebacks,
            }


def _ask(url: str, path: str) -> socket.socket:
    """Open a connection that sends a request and reads nothing."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection
