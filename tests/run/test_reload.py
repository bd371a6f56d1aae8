"""SIGHUP: an unusable configuration changes nothing, and the next reload works."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dvidpc.config import Config
from dvidpc.http.connections import WatchedRunner
from dvidpc.run.reload import RELOADING, Reloading, reloading_on_sighup
from tests.processes import running, wait_until, write_config
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume


def test_a_root_that_does_not_contain_the_ref_changes_nothing_and_the_next_reload_works(
    tmp_path: Path,
) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    config = write_config(tmp_path, tmp_path / "volume", 'httpAddress = "localhost:0"')
    good = config.read_text()
    with running(config) as command:
        command.url()
        config.write_text(f'{good}root = "file:///elsewhere"\n')
        command.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("stays as it was" in line for line in command.lines), command.lines)
        config.write_text(good.replace('instance = "em"', 'instance = "renamed"'))
        command.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("configuration read again" in line for line in command.lines), command.lines)
        errors = [line for line in command.lines if " ERROR " in line]
        assert len(errors) == 1
        assert str(config) in errors[0]
        assert "[store.a] root" in errors[0]
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(timeout=20) == 0


class Stumbling(Reloading):
    """Raises an unexpected exception once."""

    def __init__(self, reloading: Reloading) -> None:
        self._inner = reloading
        self.calls = 0
        self.done = asyncio.Event()

    @property
    def source(self) -> Path | None:
        return self._inner.source

    async def use(self, config: Config) -> None:
        self.calls += 1
        if self.calls == 1:
            raise LookupError("unforeseen")
        await self._inner.use(config)
        self.done.set()


@asynccontextmanager
async def reloading(server: Server) -> AsyncIterator[Stumbling]:
    stumbling = Stumbling(server.app[RELOADING])
    runner = WatchedRunner(server.app)
    with reloading_on_sighup(stumbling, runner, None):
        yield stumbling


async def test_no_exception_ends_the_reload_task(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    async with (
        serving(config_text({"em": tmp_path / "volume"}), tmp_path, {}) as server,
        reloading(server) as stumbling,
        asyncio.timeout(20),
    ):
        os.kill(os.getpid(), signal.SIGHUP)
        while "background task failed: reload" not in caplog.text:  # noqa: ASYNC110 - the log has no event
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
        await stumbling.done.wait()
