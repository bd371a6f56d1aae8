"""Run commands as somebody types them, and stop those that serve."""

import asyncio
import re
import shlex
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE_S = 60
NEVER_ENDS = re.compile(r"dvidpc (serve|view|demo)\b")
"""Commands that serve until they are stopped."""


@asynccontextmanager
async def served(line: str, directory: Path, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Run a command that serves on any port; yield its URL, then stop it with Ctrl-C and expect code 0."""
    words = shlex.split(re.sub(r" --port \d+", "", line))
    words += [] if "config.toml" in words else ["--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *words, cwd=directory, env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    said = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := re.search(rb"web server listening at (\S+)", said)) is None:
                more = await process.stderr.readline()
                assert more, said
                said += more
        yield found[1].decode()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_S):
            assert (await process.communicate())[1] is not None
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
