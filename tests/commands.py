"""Run the real command and read its log."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

START_S = 30


class Command:
    """A running `dvidpc serve`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        """The log lines read so far; in the end, all."""

    async def read_until(self, pattern: str) -> re.Match[str]:
        """Read the log up to the first line that matches, and return the match."""
        assert self.process.stderr is not None
        async with asyncio.timeout(START_S):
            while line := await self.process.stderr.readline():
                self.lines.append(line.decode().rstrip("\n"))
                if match := re.search(pattern, self.lines[-1]):
                    return match
        raise AssertionError(f"no line matches {pattern!r}: {self.lines}")


@asynccontextmanager
async def running(
    text: str, directory: Path, environ: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> AsyncIterator[Command]:
    """Serve the configuration *text*, written into *directory*; stop with Ctrl-C and expect exit code 0.

    Args:
        text: The configuration.
        directory: Where it is written.
        environ: What is added to the environment; None: nothing.
        prefix: A command that runs the rest of its arguments.
    """
    path = directory / "command.toml"
    path.write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-m", "dvidpc", "serve", str(path)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environ or {})},
    )
    try:
        command = Command(process)
        yield command
        process.send_signal(2)
        _, rest = await asyncio.wait_for(process.communicate(), START_S)
        command.lines += rest.decode().splitlines()
        assert process.returncode == 0, rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def run(*arguments: str) -> tuple[int, str]:
    """Run a command that ends; return its exit code and its output."""
    done = subprocess.run(
        [sys.executable, "-m", "dvidpc", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr
