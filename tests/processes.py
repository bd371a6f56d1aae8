"""Start `dvidpc serve` in a process of its own and read its log file, without an event loop."""

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Command:
    """A running `dvidpc serve`."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def lines(self) -> list[str]:
        """The lines that it has logged so far."""
        return self._log.read_text().splitlines()

    def url(self, workers: int = 1, scheme: str = "http") -> str:
        """Wait until all workers listen; return the URL."""
        pattern = re.compile(rf"listening at ({scheme}://localhost:\d+)")
        wait_until(lambda: len(pattern.findall(self._log.read_text())) >= workers, self.lines)
        return str(pattern.findall(self._log.read_text())[0])

    def workers(self) -> list[int]:
        """Return the ids of its child processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


def wait_until(claim: Callable[[], bool], shown: object = "") -> None:
    """Wait until *claim* holds; fail with *shown* after 30 seconds."""
    deadline = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)


def get(url: str) -> bytes:
    """Return the body of an answer."""
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own server
        body: bytes = response.read()
        return body


def is_running(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def write_config(directory: Path, volume: Path, server: str) -> Path:
    """Write a configuration that serves *volume* as `em`, with the keys *server* in `[server]`."""
    path = directory / "config.toml"
    path.write_text(
        f"[server]\nshutdownDelay = 0\n{server}\n"
        f'[store.a]\nengine = "ngprecomputed"\ninstance = "em"\nref = "file://{volume}"\n'
    )
    return path


@contextmanager
def running(config: Path) -> Iterator[Command]:
    """Run `dvidpc serve`; kill it in the end."""
    log = config.with_suffix(".log")
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "dvidpc", "serve", config], stderr=stream, text=True
        )
    try:
        yield Command(process, log)
    finally:
        process.kill()
        process.wait()
