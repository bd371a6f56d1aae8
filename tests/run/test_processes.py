"""A server in one process starts, logs what it should, and stops on a signal."""

import re
import signal
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
