"""Several `dvidpc serve` processes that read one bucket, as on several machines."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.servers import free_port

START_S = 30


class Fleet:
    """Servers by name. Each has an address and a log of its own, and all have one port, as machines have."""

    def __init__(self, directory: Path, names: list[str], config: str) -> None:
        port = free_port()
        self.addresses = {name: f"127.0.0.{number}:{port}" for number, name in enumerate(names, 1)}
        self._directory = directory
        self._config = config
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    def url(self, name: str) -> str:
        """Return the URL of a server, whether it runs or not."""
        return f"http://{self.addresses[name]}"

    @property
    def running(self) -> list[str]:
        """The names of the servers that run."""
        return list(self._processes)

    async def start(self, *names: str) -> None:
        """Start servers and wait until they are ready."""
        for name in names:
            path = self._directory / f"{name}.toml"
            address = f'httpAddress = "{self.addresses[name]}"\nhost = "em.example.org"'
            path.write_text(f"[server]\n{address}\n{self._config}")
            with path.with_suffix(".log").open("ab") as log:
                self._processes[name] = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "dvidpc", "serve", path, stderr=log, env=dict(os.environ)
                )
        async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
            for name in names:
                while not await _is_ready(session, self.url(name)):
                    assert self._processes[name].returncode is None, self.log(name)
                    await asyncio.sleep(0.05)

    async def kill(self, name: str) -> None:
        """End a server by SIGKILL."""
        process = self._processes.pop(name)
        process.kill()
        await process.wait()

    async def stop(self, name: str) -> None:
        """End a server by SIGTERM, and wait until it has drained."""
        process = self._processes.pop(name)
        process.terminate()
        await process.wait()

    def log(self, name: str) -> str:
        """Return what a server has logged."""
        return (self._directory / f"{name}.log").read_text()


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def fleet(directory: Path, names: list[str], config: str) -> AsyncIterator[Fleet]:
    """Yield a fleet of which no server runs yet; kill in the end what runs."""
    servers = Fleet(directory, names, config)
    try:
        yield servers
    finally:
        for name in servers.running:
            await servers.kill(name)
