"""Runs the application: listens, waits for a signal, lets requests under way end."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from dvidpc.config import Address, Config, LimitsConfig, load_config
from dvidpc.data.summary import log_table
from dvidpc.dvid.services import SERVICES
from dvidpc.errors import ConfigError
from dvidpc.http.aiohttp_internals import check_parser
from dvidpc.http.connections import WatchedRunner
from dvidpc.http.cors import CORS
from dvidpc.http.metric_sources import METRICS
from dvidpc.log.set_up import set_up_logging
from dvidpc.run.allocator import keep_freed_memory, share_arenas
from dvidpc.run.app import RELOADING, Reloading, make_app

log = logging.getLogger(__name__)

_BACKLOG = 1024
"""Connections that may wait to be accepted; a client beyond them tries again a second later."""
_LINGERING_S = 2.0
"""How long what a refused client goes on to send is dropped, so that it gets to read the refusal."""


async def serve(
    config: Config,
    environ: Mapping[str, str],
    *,
    started: float,
    on_ready: Callable[[str, str], None] | None = None,
    lifeline: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order.

    On SIGTERM `/readyz` fails first, for `shutdownDelay` seconds, so that a balancer looks elsewhere
    before a request is refused; then requests under way have `drain_timeout` to end. On SIGINT, a
    person waits, and there is no delay.

    Args:
        config: What to serve and how.
        environ: The environment.
        started: When the server began, in seconds since the epoch; workers say the same.
        on_ready: Called with the base URL and the repo's UUID once requests are answered.
        lifeline: A file descriptor; once it is at its end, this stops as on SIGINT. Others share the
            port then. None: this is the only process.

    Raises:
        ConfigError: The address cannot be listened on, or aiohttp is not one to be trusted.
    """
    check_parser()
    keep_freed_memory()
    share_arenas()
    app = make_app(config, environ, started)
    runner = make_runner(app, config.limits)
    for note in config.notes:
        log.info("%s", note)
    for warning in config.warnings:
        log.warning("%s", warning)
    stop = _stop_signal(lifeline)
    metrics_runner = None if config.metrics.address is None else _metrics_runner(app)
    await runner.setup()
    try:
        place = f"{config.path}: [server] httpAddress"
        url = await _listen(runner, config.server.http_address, place, shared=lifeline is not None)
        if config.metrics.address is not None and metrics_runner is not None:
            await metrics_runner.setup()
            place = f"{config.path}: [metrics] address"
            at = await _listen(metrics_runner, config.metrics.address, place, shared=False)
            log.info("metrics at %s/metrics", at)
        log_table(app[SERVICES].volumes.volumes)
        log.info("repo %s, web server listening at %s", app[SERVICES].repo.uuid, url)
        if on_ready is not None:
            on_ready(url, app[SERVICES].repo.uuid)
        with _reloading(app[RELOADING], runner, config.path):
            number = await stop
        app[SERVICES].stopping.set()
        if number == signal.SIGTERM:
            log.info("stopping in %g s, as SIGTERM asks", config.server.shutdown_delay_s)
            await asyncio.sleep(config.server.shutdown_delay_s)
        log.info("stopping once the requests under way have ended")
    finally:
        await runner.cleanup()
        if metrics_runner is not None:
            await metrics_runner.cleanup()
    log.info("stopped")


def make_runner(app: web.Application, limits: LimitsConfig) -> WatchedRunner:
    """What connects *app* to sockets.

    Request lines may be long: all the blocks of a request stand in its URL, and aiohttp's own limit of
    8190 bytes refuses libdvid at 600 blocks.
    """
    runner = _Runner(
        app,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=limits.keepalive_timeout_s,
        max_line_size=limits.max_request_line,
        max_field_size=limits.max_request_line,
        shutdown_timeout=limits.drain_timeout_s,
        lingering_time=_LINGERING_S,
    )
    runner.watch(limits)
    return runner


def _metrics_runner(app: web.Application) -> web.AppRunner:
    from dvidpc.http.metrics import metrics_app  # noqa: PLC0415 - slow to import, and not everybody looks

    return web.AppRunner(metrics_app(app[METRICS]), access_log=None)


@contextmanager
def _reloading(reloading: Reloading, runner: WatchedRunner, path: Path) -> Iterator[None]:
    """Read the configuration again on each SIGHUP, one after the other."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    async def reload() -> None:
        while True:
            await asked.wait()
            asked.clear()
            await reload_config(reloading, runner, path)

    loop.add_signal_handler(signal.SIGHUP, asked.set)
    task = asyncio.ensure_future(reload())
    try:
        yield
    finally:
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        task.cancel()


async def reload_config(reloading: Reloading, runner: WatchedRunner, path: Path) -> None:
    """Serve what the file says now; as before, and logged why, if it cannot be used."""
    try:
        config = await asyncio.to_thread(load_config, path)
        set_up_logging(config.logging, announce=False)
    except ConfigError as error:
        log.error("the configuration stays as it was: %s", error)
        return
    runner.watch(config.limits)
    await reloading.use(config)
    for warning in config.warnings:
        log.warning("%s", warning)
    log.info("configuration read again")


class _Runner(WatchedRunner):
    """Has pages of other origins read what is answered to requests that no handler sees."""

    async def setup(self) -> None:
        await super().setup()
        assert self.server is not None
        self.app[CORS].cover_unparsed(self.server)


def _stop_signal(lifeline: int | None) -> "asyncio.Future[int]":
    """Done with the number of the first signal that asks to stop; the second kills."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()

    def note(number: int) -> None:
        if stop.done():
            os._exit(128 + number)
        stop.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, note, number)
    if lifeline is not None:
        loop.add_reader(lifeline, note, signal.SIGINT)
    return stop


async def _listen(runner: web.AppRunner, address: Address, place: str, *, shared: bool) -> str:
    """Listen at *address*, which stands at *place*; the base URL at which it is reached from here."""
    try:
        await web.TCPSite(runner, address.host, address.port, backlog=_BACKLOG, reuse_port=shared).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(f"{place}: cannot listen on {address}: {reason}; name another") from error
    port = runner.addresses[0][1]
    host = address.host or "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
