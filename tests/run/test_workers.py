"""Workers share a port, are replaced when they die, and end with their supervisor."""

import os
import signal
from pathlib import Path

import pytest

from tests.commands import run
from tests.processes import get, is_running, running, wait_until, write_config


def test_workers_share_the_port_and_a_dead_worker_is_replaced(tmp_path: Path, volume: Path) -> None:
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
