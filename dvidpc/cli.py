"""The command line: parses it, sets up logging, turns errors into exit codes."""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvidpc import __version__
from dvidpc.errors import ConfigError, DvidpcError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dvidpc.config import Address, Config

# What is heavy is imported where it is needed: `dvidpc --version` should not wait for it.
# ruff: noqa: PLC0415


_YOUNG = 10_000
"""Objects made since the last collection that call for the next."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code: 0, 1 where something failed, 2 where the configuration is wrong."""
    options = _parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except ConfigError as error:
        return _say(error, 2)
    except DvidpcError as error:
        return _say(error, 1)
    except KeyboardInterrupt:
        return 130


def _say(error: DvidpcError, code: int) -> int:
    sys.stderr.write(f"dvidpc: {error}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dvidpc", description="Serve Neuroglancer precomputed volumes as a DVID server."
    )
    parser.add_argument("--version", action="version", version=f"dvidpc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the volumes of a configuration file")
    serve.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file as DVID reads it")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check", help="say how the volumes of a configuration file would be served")
    check.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file as DVID reads it")
    check.add_argument("--json", action="store_true", help="an object for each volume, on a line of its own")
    check.add_argument(
        "--deep", action="store_true", help="list the buckets and count the chunks of every scale"
    )
    check.set_defaults(run=_check)

    demo = commands.add_parser("demo", help="make a small volume, once, and serve it")
    demo.add_argument("--port", type=int, default=8000, help="where to serve it (8000; 0 takes any)")
    demo.set_defaults(run=_demo)
    return parser


def _serve(options: argparse.Namespace) -> int:
    gc.disable()
    from dvidpc.config import load_config
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.workers import pid_file, reserved_port

    config = load_config(options.config)
    set_up_logging(config.logging)
    with reserved_port(config.server.http_address) as address, pid_file(config.server.pid_file):
        if config.server.workers == 1:
            return _run_server(config)
        return _run_workers(config, address)


def _end_imports() -> None:
    """Collect garbage from now on, and never look for it in what was imported.

    Modules make none, and the collector would go through them again and again: a tenth of the start.
    Requests make little; a single one for many blocks has more objects than it waits for by default.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()


def _run_server(config: "Config") -> int:
    from dvidpc.run.server import serve

    _end_imports()
    _run(serve(config, os.environ, started=time.time()))
    return 0


def _run(serving: "Coroutine[Any, Any, None]") -> None:
    """Run the server on uvloop, whose loop takes an eighth less CPU for a block than asyncio's own."""
    import asyncio

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


def _run_workers(config: "Config", address: "Address") -> int:
    from dataclasses import replace

    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.server import serve
    from dvidpc.run.workers import Seat, supervise

    _end_imports()
    shared = replace(config, server=replace(config.server, http_address=address))
    started = time.time()

    def work(seat: Seat) -> int:
        set_up_logging(config.logging, announce=False)
        if seat.number > 0:  # what a start says, the first worker says for all
            logging.getLogger("dvidpc.volume").setLevel(logging.WARNING)
        try:
            numbered = replace(shared, metrics=config.metrics.of_worker(seat.number))
            _run(serve(numbered, os.environ, started=started, lifeline=seat.lifeline))
        except ConfigError as error:
            return _say(error, 2)
        return 0

    return supervise(config.server.workers, work)


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from dvidpc.check.checking import check
    from dvidpc.check.terminal import Watch, show
    from dvidpc.config import load_config

    config = load_config(options.config)

    async def report() -> int:
        failed = 0
        watch = Watch(sys.stderr)
        try:
            async for volume in check(config, os.environ, deep=options.deep, progress=watch):
                watch.clear()
                if options.json:
                    sys.stdout.write(volume.json_line())
                    sys.stdout.flush()
                else:
                    show(volume, sys.stdout)
                failed += bool(volume.problems)
        finally:
            watch.clear()
        return failed

    for warning in config.warnings:
        (sys.stderr if options.json else sys.stdout).write(f"warning: {warning}\n")
    failed = asyncio.run(report())
    if failed:
        sys.stderr.write(f"dvidpc: {failed} of the volumes cannot be served whole\n")
    return 1 if failed else 0


def _demo(options: argparse.Namespace) -> int:

    from dvidpc.config import load_config
    from dvidpc.demo import demo_config_text, demo_directory, demo_guide, ensure_demo_volume
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.server import serve

    directory = demo_directory(os.environ)
    ensure_demo_volume(directory, sys.stderr)
    path = directory.with_suffix(".toml")
    path.write_text(demo_config_text(directory, f"localhost:{options.port}"))
    config = load_config(path)
    set_up_logging(config.logging)

    def show(url: str, uuid: str) -> None:
        sys.stdout.write(f"\n{demo_guide(url, uuid)}\n")
        sys.stdout.flush()

    _run(serve(config, os.environ, started=time.time(), on_ready=show))
    return 0
