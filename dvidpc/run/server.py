"""Run the application: listen, wait for a signal, let requests in flight end."""

import asyncio
import logging
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from dvidpc.config import Address, Config, LimitsConfig
from dvidpc.data.summary import log_table
from dvidpc.dvid.services import SERVICES
from dvidpc.http.aiohttp_internals import UnixSockSite, check_parser
from dvidpc.http.connections import WatchedRunner
from dvidpc.http.cors import CORS
from dvidpc.http.hosts import HOSTS
from dvidpc.http.metric_sources import METRICS
from dvidpc.run.app import make_app
from dvidpc.run.certificate import Certificate, certificate_of
from dvidpc.run.listening import bind
from dvidpc.run.memory import keep_freed_memory, share_arenas
from dvidpc.run.places import are_local, base_url
from dvidpc.run.reload import RELOADING, reloading_on_sighup
from dvidpc.tasks import abandon, keep_running
from dvidpc.threads import use_thread_pool

log = logging.getLogger(__name__)

_BACKLOG = 1024
"""Connections that may wait to be accepted; further clients retry a second later."""
_LINGERING_S = 2.0
"""How long the rest of a refused request is read and dropped, so that the client gets to read the refusal."""


async def serve(
    config: Config,
    environ: Mapping[str, str],
    *,
    started: float,
    on_ready: Callable[[str, str], None] | None = None,
    lifeline: int | None = None,
    sockets: Sequence[socket.socket] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order.

    On SIGTERM `/readyz` fails first, for `shutdownDelay` seconds, so that a load balancer looks elsewhere
    before a request is refused; then requests in flight have `drain_timeout` to end. On SIGINT a person
    waits, so there is no delay.

    Args:
        config: What to serve and how.
        environ: The environment.
        started: When the server started, in seconds since the epoch; all workers pass the same.
        on_ready: Called with the base URL and the repo's UUID once requests are answered.
        lifeline: A file descriptor; when it reaches its end, the server stops as on SIGINT. Other workers
            share the port then. None: this is the only process.
        sockets: What listens already; empty: the server binds to the address of the configuration.

    Raises:
        ConfigError: The address cannot be listened on, the certificate cannot be used, or aiohttp is too old
            or without its C parser.
    """
    check_parser()
    keep_freed_memory()
    share_arenas()
    use_thread_pool()
    app = make_app(config, environ, started)
    certificate = certificate_of(config.server)
    runner = make_runner(app, config.limits)
    _log_findings(config)
    stop = _stop_signal(lifeline)
    async with _serving_metrics(app, config), _running(runner), _renewing(certificate):
        sockets = sockets or await _bind(config, "[server] httpAddress", shared=lifeline is not None)
        app[HOSTS].is_local = are_local(sockets)
        await _listen(runner, sockets, certificate.context if certificate else None)
        url = base_url("https" if certificate else "http", sockets, config.server.http_address)
        with reloading_on_sighup(app[RELOADING], runner, certificate):
            log_table(app[SERVICES].volumes.volumes)
            log.info("repo %s, web server listening at %s", app[SERVICES].repo.uuid, url)
            if on_ready is not None:
                on_ready(url, app[SERVICES].repo.uuid)
            number = await stop
        await _announce_stop(app, config, number)
    log.info("stopped")


def make_runner(app: web.Application, limits: LimitsConfig) -> WatchedRunner:
    """Return what connects *app* to sockets.

    Request lines may be long: all blocks of a request stand in its URL, and aiohttp's default limit of
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


@asynccontextmanager
async def _running(runner: WatchedRunner) -> AsyncIterator[None]:
    """Start the application; at the end let requests in flight end, then close everything it opened."""
    await runner.setup()
    try:
        yield
    finally:
        await runner.cleanup()


def _log_findings(config: Config) -> None:
    for note in config.notes:
        log.info("%s", note)
    for warning in config.warnings:
        log.warning("%s", warning)


async def _announce_stop(app: web.Application, config: Config, number: int) -> None:
    """Fail `/readyz`, and after SIGTERM give load balancers time to notice."""
    app[SERVICES].stopping.set()
    if number == signal.SIGTERM:
        log.info("stopping in %g s, as SIGTERM asks", config.server.shutdown_delay_s)
        await asyncio.sleep(config.server.shutdown_delay_s)
    log.info("stopping once the requests in flight have ended")


@asynccontextmanager
async def _serving_metrics(app: web.Application, config: Config) -> AsyncIterator[None]:
    """Serve `/metrics` at its own address, if one is configured."""
    if config.metrics.address is None:
        yield
        return
    from dvidpc.http.metrics import metrics_app  # noqa: PLC0415 - slow to import, and often not needed

    runner = web.AppRunner(metrics_app(app[METRICS]), access_log=None)
    await runner.setup()
    try:
        sockets = await _bind(config, "[metrics] address", shared=False)
        await _listen(runner, sockets, None)
        log.info("metrics at %s/metrics", base_url("http", sockets, config.metrics.address))
        yield
    finally:
        await runner.cleanup()


class _Runner(WatchedRunner):
    """Sends CORS headers with the answers to requests that no handler sees."""

    async def setup(self) -> None:
        await super().setup()
        assert self.server is not None
        self.app[CORS].cover_unparsed(self.server)


def _stop_signal(lifeline: int | None) -> "asyncio.Future[int]":
    """Return a future of the first signal that asks to stop; the second one kills."""
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


async def _bind(config: Config, key: str, *, shared: bool) -> list[socket.socket]:
    """Return sockets that are bound to the address that *key* configures."""
    address = config.server.http_address if key.startswith("[server]") else config.metrics.address
    assert isinstance(address, Address)  # a socket in the file system exists already
    place = f"{config.path}: {key}" if config.is_file else "--host and --port"
    return await asyncio.to_thread(bind, address, place, shared=shared)


async def _listen(
    runner: web.AppRunner, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None
) -> None:
    """Serve what arrives at *sockets*; by TLS, unless *tls* is None."""
    for one in sockets:
        site = UnixSockSite if one.family == socket.AF_UNIX else web.SockSite
        await site(runner, one, ssl_context=tls, backlog=_BACKLOG).start()


@asynccontextmanager
async def _renewing(certificate: Certificate | None) -> AsyncIterator[None]:
    """Watch the files of the certificate, if there is one."""
    if certificate is None:
        yield
        return
    watching = keep_running("certificate", certificate.watch)
    try:
        yield
    finally:
        await abandon([watching])
