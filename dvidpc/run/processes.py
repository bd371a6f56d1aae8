"""Run the server in this process: alone, or as one of several workers."""

import asyncio
import gc
import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import uvloop

from dvidpc.config import Config
from dvidpc.log.set_up import set_up_logging
from dvidpc.run.places import Place
from dvidpc.run.server import serve
from dvidpc.run.workers import Seat

_YOUNG: Final = 10_000
"""New objects that trigger a collection. One request for many blocks makes more than Python's default."""


def collect_garbage() -> None:
    """Turn on the garbage collector, and exclude all objects that exist now from it.

    Call it once everything is imported. Modules are no garbage, and scanning them during the imports takes
    a tenth of the start.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()


def run_server(
    config: Config,
    environ: Mapping[str, str],
    *,
    on_ready: Callable[[str, str], None] | None = None,
    sockets: Sequence[socket.socket] = (),
) -> None:
    """Serve until a signal stops the server; the arguments and errors are those of `serve`."""
    with _runner() as runner:
        runner.run(serve(config, environ, started=time.time(), on_ready=on_ready, sockets=sockets))


def run_worker(
    config: Config,
    environ: Mapping[str, str],
    place: Place,
    started: float,
    seat: Seat,
    on_ready: Callable[[str, str], None] | None = None,
) -> None:
    """Serve as one of several workers, until a signal or the end of the supervisor stops it.

    Args:
        config: The configuration of all workers.
        environ: The environment.
        place: Where the workers listen.
        started: When the supervisor started, in seconds since the epoch.
        seat: Which worker this is.
        on_ready: As for `serve`.

    Raises:
        ConfigError: As `serve`.
    """
    set_up_logging(config.logging.settings, announce=False)
    if seat.number > 0:  # the first worker logs the start for all of them
        logging.getLogger("dvidpc.data").setLevel(logging.WARNING)
    own = replace(
        config,
        server=replace(config.server, http_address=place.address),
        metrics=config.metrics.of_worker(seat.number),
    )
    with _runner() as runner:
        runner.run(
            serve(
                own,
                environ,
                started=started,
                on_ready=on_ready,
                lifeline=seat.lifeline,
                sockets=place.sockets,
            )
        )


def _runner() -> asyncio.Runner:
    """Return a runner with uvloop, which takes an eighth less CPU time per block than asyncio's own loop."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
