"""A server in one process starts, logs what it should, and stops on a signal."""

import re
import signal
import time
from pathlib import Path

from tests.processes import get, running, write_config

EXPECTED = (
    r"STORE +INSTANCE +SCALE +SIZE +RESOLUTION NM +STORED AS +SERVED$",
    r"a +em +0 +150 x 130 x 100 +8 x 8 x 8 +jpeg chunks of 64 x 64 x 64, sharded +as stored$",
    r"repo [0-9a-f]{32}, web server listening at http://localhost:\d+$",
    r"request id=\S+ client=\S+ method=GET endpoint=/\S* status=200 ",
    r"stopping in 0 s, as SIGTERM asks$",
    r"stopping once the requests in flight have ended$",
    r"stopped$",
)


def test_the_command_serves_until_a_signal_stops_it(tmp_path: Path, volume: Path) -> None:
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
