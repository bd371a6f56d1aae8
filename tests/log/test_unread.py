"""A reader of stderr that stops reading stops neither the code that logs nor the server."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from dvidpc.log.unread import MOST_HELD
from tests.processes import write_config

PROGRAM = """
import logging, sys
from dvidpc.log.settings import LogSettings
from dvidpc.log.set_up import set_up_logging
set_up_logging(LogSettings())
log = logging.getLogger("dvidpc")
for number in range(int(sys.argv[1])):
    log.info("line %06d %s", number, "x" * 200)
print("served", flush=True)
sys.stdin.readline()
log.info("the last line")
"""
LINE = 24 + 6 + 12 + 201
"""Bytes of a line, at least."""


def run(lines: int) -> list[str]:
    """Log that many lines to a pipe that nobody reads until all are logged; return what arrives then."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(lines)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"served\n"
        first = os.read(process.stderr.fileno(), 2**20)
        process.stdin.write(b"\n")
        process.stdin.flush()
        return (first + process.stderr.read()).decode().splitlines()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("lines", [10, 1_000])
def test_every_line_arrives_once_the_reader_reads(lines: int) -> None:
    """A log driver that pauses (moby issue 22502)."""
    *arrived, last = run(lines)
    assert [line.split()[4] for line in arrived] == [f"{number:06}" for number in range(lines)]
    assert last.endswith("the last line")


def test_lines_beyond_the_bound_are_counted() -> None:
    lines = 2 * MOST_HELD // LINE
    found = run(lines)
    [told] = [line for line in found if "were lost" in line]
    arrived = [line for line in found if line != told and not line.endswith("the last line")]
    assert told == f"{lines + 2 - len(found)} lines of the log were lost: stderr was not read"
    assert [line.split()[4] for line in arrived] == [f"{number:06}" for number in range(len(arrived))]
    assert sum(map(len, arrived)) > MOST_HELD - LINE


def test_a_server_whose_log_nobody_reads_goes_on(volume: Path, tmp_path: Path) -> None:
    """A container that hangs in write(2) once its log driver is stuck (moby issues 31540, 39369)."""
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:0"')
    process = subprocess.Popen([sys.executable, "-m", "dvidpc", "serve", config], stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = b""
        while b"listening at " not in said:
            said = process.stderr.readline()
        url = said.split(b"listening at ")[1].split()[0].decode()
        assert asyncio.run(ask_often(f"{url}/api/help/{'x' * 150}", 500)) == {400}
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=20)
        assert process.returncode == 0
        assert rest.count(b"request id=") == 500
    finally:
        process.kill()
        process.communicate()


async def ask_often(url: str, times: int) -> set[int]:
    """Send that many requests, 50 at a time; return the statuses of the answers."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:

        async def ask() -> int:
            async with session.get(url) as answer:
                return answer.status

        found: set[int] = set()
        for _ in range(times // 50):
            found |= set(await asyncio.gather(*(ask() for _ in range(50))))
        return found
