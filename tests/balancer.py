"""Run deploy/haproxy.cfg in front of servers of a test."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

RECIPE = Path(__file__).parents[1] / "deploy" / "haproxy.cfg"
SOCKET = "/run/haproxy/admin.sock"
START_S = 20
FULL_WEIGHT = "256"
TELL = """\
    http-after-response set-header X-Home %[var(txn.home)]
    http-after-response set-header X-Server %b/%s
"""
"""What a test adds to the frontend, to see where a request went."""


def listening(recipe: str, directory: Path, front: int, backs: Mapping[str, str], more: str = "") -> str:
    """Return *recipe* with other ports.

    Args:
        recipe: The text of the configuration, with a server named `one`.
        directory: Where the socket of the runtime API is made.
        front: The port that HAProxy listens at.
        backs: The names of the servers, in the order of their ids, and their addresses.
        more: Lines added to the frontend.
    """
    recipe = recipe.replace("bind :8080", f"bind 127.0.0.1:{front}").replace(SOCKET, str(directory / "admin"))
    recipe = recipe.replace("    default_backend", f"{more}    default_backend")
    recipe = re.sub(r"^ *#server .*\n", "", recipe, flags=re.MULTILINE)

    def lines(match: re.Match[str]) -> str:
        return "".join(
            match[0].replace("one", name).replace("127.0.0.1:8000", back).replace("id 1", f"id {number}")
            for number, (name, back) in enumerate(backs.items(), 1)
        )

    return re.sub(r"^ *server one .*\n", lines, recipe, flags=re.MULTILINE)


@dataclass(frozen=True)
class Balancer:
    """A running HAProxy."""

    url: str
    directory: Path

    async def command(self, text: str) -> str:
        """Send a command to the runtime API and return its answer."""
        reader, writer = await asyncio.open_unix_connection(self.directory / "admin")
        writer.write(f"{text}\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return answer

    async def states(self, column: str = "status") -> dict[str, str]:
        """Return the states of the servers of the backend `dvidpc`, such as `UP`, by their names.

        Args:
            column: The column of HAProxy's statistics.
        """
        table = await self.command("show stat dvidpc 4 -1")
        names, *rows = (line.split(",") for line in table.splitlines() if line)
        return {row[names.index("svname")]: row[names.index(column)] for row in rows}

    async def until_full(self, name: str) -> None:
        """Wait until a server is up and has all of its regions, after its slow start."""
        await self.until(name, "UP")
        await self.until(name, FULL_WEIGHT, "weight")

    async def until(self, name: str, state: str, column: str = "status") -> None:
        """Wait until a server has a state."""
        async with asyncio.timeout(START_S):
            found = ""
            while found != state:
                await asyncio.sleep(0.05)
                found = (await self.states(column))[name]


@asynccontextmanager
async def balancing(directory: Path, backs: Mapping[str, str], recipe: str) -> AsyncIterator[Balancer]:
    """Run HAProxy with *recipe* in front of *backs*, which are the servers' addresses by name."""
    front = free_port()
    async with running_haproxy(directory, listening(recipe, directory, front, backs, TELL)):
        yield Balancer(f"http://127.0.0.1:{front}", directory)


@asynccontextmanager
async def running_haproxy(directory: Path, config: str, **environ: str) -> AsyncIterator[None]:
    """Run HAProxy with the text of a configuration, whose runtime API is at `admin` in *directory*."""
    path = directory / "haproxy.cfg"
    path.write_text(config)
    process = await asyncio.create_subprocess_exec("haproxy", "-db", "-f", path, env=os.environ | environ)
    try:
        async with asyncio.timeout(START_S):
            while not (directory / "admin").exists():
                assert process.returncode is None
                await asyncio.sleep(0.02)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
