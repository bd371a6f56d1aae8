"""The real command in real processes: it starts, says what it should, stops, and replaces its dead."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvidpc import __version__
from tests.volumes import VolumeSpec, sharding, write_volume

EXPECTED = (
    r"STORE +INSTANCE +SCALE +SIZE +RESOLUTION NM +STORED AS +SERVED$",
    r"a +em +0 +150 x 130 x 100 +8 x 8 x 8 +jpeg chunks of 64 x 64 x 64, sharded +as stored$",
    r"repo [0-9a-f]{32}, web server listening at http://localhost:\d+$",
    r"request id=\S+ client=\S+ method=GET endpoint=/\S* status=200 ",
    r"stopping in 0 s, as SIGTERM asks$",
    r"stopping once the requests in flight have ended$",
    r"stopped$",
)


class Command:
    """A running `dvidpc serve`."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def lines(self) -> list[str]:
        """What it has logged so far."""
        return self._log.read_text().splitlines()

    def url(self, workers: int = 1) -> str:
        """Where it listens, once all workers do."""
        pattern = re.compile(r"listening at (http://localhost:\d+)")
        wait_until(lambda: len(pattern.findall(self._log.read_text())) >= workers, self.lines)
        return str(pattern.findall(self._log.read_text())[0])

    def workers(self) -> list[int]:
        """The processes it has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


def wait_until(claim: Callable[[], bool], shown: object = "") -> None:
    deadline = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own server
        body: bytes = response.read()
        return body


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volume")
    write_volume(directory, VolumeSpec(encoding="jpeg", sharding=sharding()))
    return directory


def write_config(directory: Path, volume: Path, server: str) -> Path:
    path = directory / "config.toml"
    path.write_text(
        f"[server]\nshutdownDelay = 0\n{server}\n"
        f'[store.a]\nengine = "ngprecomputed"\ninstance = "em"\nref = "file://{volume}"\n'
    )
    return path


@contextmanager
def running(config: Path) -> Iterator[Command]:
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


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, volume: Path) -> None:
    pid_path = tmp_path / "pid"
    config = write_config(tmp_path, volume, f'httpAddress = "localhost:0"\npidFile = "{pid_path}"')
    with running(config) as command:
        url = command.url()
        assert int(pid_path.read_text()) == command.process.pid
        assert get(f"{url}/readyz") == b"ok\n"
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(timeout=20) == 0
        for line in command.lines:
            assert any(re.search(pattern, line) for pattern in EXPECTED), line
        assert not pid_path.exists()


def test_workers_share_the_port_and_the_dead_are_replaced(tmp_path: Path, volume: Path) -> None:
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:0"\nworkers = 2')
    with running(config) as command:
        url = command.url(workers=2)
        before = command.workers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(command.workers()) == 2 and before[0] not in command.workers())
        command.url(workers=3)
        assert all(get(f"{url}/readyz") == b"ok\n" for _ in range(20))
        workers = command.workers()
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(timeout=20) == 0
        assert not any(is_running(pid) for pid in workers)
        assert any(f"worker 0 (pid {before[0]}) ended by signal 9" in line for line in command.lines)


def test_workers_end_when_their_supervisor_does(tmp_path: Path, volume: Path) -> None:
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:0"\nworkers = 2')
    with running(config) as command:
        command.url(workers=2)
        workers = command.workers()
        command.process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_server_on_the_same_port_is_refused(tmp_path: Path, volume: Path, workers: int) -> None:
    config = write_config(tmp_path, volume, f'httpAddress = "localhost:0"\nworkers = {workers}')
    with running(config) as command:
        port = command.url(workers=workers).rpartition(":")[2]
        other = tmp_path / "other"
        other.mkdir()
        config = write_config(other, volume, f'httpAddress = "localhost:{port}"\nworkers = {workers}')
        code, text = run("serve", str(config))
        assert code == 2
        assert text == (
            f"dvidpc: [server] httpAddress: cannot listen on localhost:{port}: "
            "Address already in use; name another\n"
        )


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dvidpc", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_wrong_configuration_is_one_line_and_code_2(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[server]\nworkers = "many"\n')
    code, text = run("serve", str(path))
    assert code == 2
    assert text.startswith(f"dvidpc: {path}: [server] workers: ")
    assert text.count("\n") == 1


def test_the_version_is_told() -> None:
    assert run("--version") == (0, f"dvidpc {__version__}\n")


def test_idle_server_wakes_at_most_twice_a_second(tmp_path: Path, volume: Path) -> None:
    with running(write_config(tmp_path, volume, 'httpAddress = "localhost:0"')) as command:
        assert get(f"{command.url()}/healthz") == b"ok\n"
        time.sleep(1.5)  # the timer of the last connection runs once more
        before, began = wakeups_of(command.process.pid), time.monotonic()
        time.sleep(4)
        rate = (wakeups_of(command.process.pid) - before) / (time.monotonic() - began)
    assert rate <= 2.5


def wakeups_of(pid: int) -> int:
    """How often the threads of a process have waited for something."""
    counts = [status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(re.findall(r"^voluntary_ctxt_switches:\t(\d+)", text, re.MULTILINE)[0]) for text in counts)
