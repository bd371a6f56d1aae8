"""The command line: parse it, set up logging, map errors to exit codes."""

import argparse
import gc
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dvidpc import __version__
from dvidpc.errors import ConfigError, DvidpcError

if TYPE_CHECKING:
    from dvidpc.config import Address, Config
    from dvidpc.run.workers import Seat

# Commands import their modules when they run, so that `dvidpc --version` is fast.
# ruff: noqa: PLC0415


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a failure, 2 for a wrong configuration."""
    _write_what_stdout_can()
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return _exit_code(lambda: _run(run, options))


def _run(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    _check_key_log(os.environ)
    return run(options)


def _write_what_stdout_can() -> None:
    """Write a character that stdout's encoding lacks as an escape, as Python does on stderr.

    Names of volumes and objects may hold any character, and with `PYTHONIOENCODING=ascii`, or with bytes in a
    path that are not UTF-8, a report would end in a traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _check_key_log(environ: Mapping[str, str]) -> None:
    """Check that the file of `SSLKEYLOGFILE` can be written: Python opens it for each TLS context.

    aiohttp makes one when it is imported, which would end in a traceback.

    Raises:
        ConfigError: It cannot be written.
    """
    if name := environ.get("SSLKEYLOGFILE"):
        try:
            with Path(name).open("a"):
                pass
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
            raise ConfigError(
                f"SSLKEYLOGFILE names a file that cannot be written: {name!r}: {reason}; unset it"
            ) from error


def _exit_code(run: Callable[[], int]) -> int:
    try:
        return run()
    except ConfigError as error:
        return _complain(error, 2)
    except DvidpcError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 130


def _complain(error: DvidpcError, code: int) -> int:
    sys.stderr.write(f"dvidpc: {error}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dvidpc", description="Serve Neuroglancer precomputed volumes, zarr and N5 as a DVID server."
    )
    parser.add_argument("--version", action="version", version=f"dvidpc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the volumes of a configuration file")
    serve.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file in DVID's format")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check", help="report how the volumes of a configuration file are served")
    check.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file in DVID's format")
    check.add_argument("--json", action="store_true", help="print one line of JSON per volume")
    check.add_argument("--deep", action="store_true", help="count the stored chunks of every scale")
    check.set_defaults(run=_check)

    demo = commands.add_parser("demo", help="create a small volume, if it does not exist, and serve it")
    demo.add_argument("--port", type=int, default=8000, help="port to serve it on (default 8000; 0: any)")
    demo.add_argument(
        "--format",
        choices=("precomputed", "zarr"),
        default="precomputed",
        help="format of the volume (default precomputed); zarr: OME-Zarr",
    )
    demo.set_defaults(run=_demo)
    return parser


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # during the imports
    from dvidpc.config import load_config
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.listening import reserved_port
    from dvidpc.run.workers import pid_file

    config = load_config(options.config)
    set_up_logging(config.logging.settings)
    place = reserved_port(config.server.http_address, "[server] httpAddress")
    with place as address, pid_file(config.server.pid_file):
        return _run_alone(config) if config.server.workers == 1 else _run_workers(config, address)


def _run_alone(config: "Config") -> int:
    from dvidpc.run.processes import collect_garbage, run_server

    collect_garbage()
    run_server(config, os.environ)
    return 0


def _run_workers(config: "Config", address: "Address") -> int:
    from dvidpc.run.processes import collect_garbage, run_worker
    from dvidpc.run.workers import supervise

    collect_garbage()
    started = time.time()

    def work(seat: "Seat") -> int:
        run_worker(config, os.environ, address, started, seat)
        return 0

    return supervise(config.server.workers, lambda seat: _exit_code(lambda: work(seat)))


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from dvidpc.check.printing import print_reports
    from dvidpc.config import load_config

    config = load_config(options.config)
    failed = asyncio.run(print_reports(config, deep=options.deep, as_json=options.json))
    return 1 if failed else 0


def _demo(options: argparse.Namespace) -> int:
    from dvidpc.config import load_config
    from dvidpc.demo import (
        DEMO_SIZE,
        Layout,
        demo_config_text,
        demo_directory,
        demo_guide,
        ensure_demo_volume,
    )
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.processes import run_server

    layout = Layout(options.format)
    directory = demo_directory(os.environ, layout)
    ensure_demo_volume(directory, sys.stderr, DEMO_SIZE, layout)
    path = directory.with_suffix(".toml")
    path.write_text(demo_config_text(directory, f"localhost:{options.port}", layout))
    config = load_config(path)
    set_up_logging(config.logging.settings)

    def show_guide(url: str, uuid: str) -> None:
        sys.stdout.write(f"\n{demo_guide(url, uuid)}\n")
        sys.stdout.flush()

    run_server(config, os.environ, on_ready=show_guide)
    return 0
