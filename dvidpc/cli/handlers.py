"""The commands: each takes the parsed options and returns the exit code."""

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dvidpc.cli.command_parser import DEFAULT_PORT, command_parser
from dvidpc.cli.exit_codes import exit_code
from dvidpc.errors import ConfigError

if TYPE_CHECKING:
    from dvidpc.config import Config
    from dvidpc.run.places import Place
    from dvidpc.run.workers import Seat

# Commands import their modules when they run, so that `dvidpc --version` is fast.
# ruff: noqa: PLC0415

OnReady = Callable[[str, str], None]
"""Called with the base URL and the UUID of the repo once requests are answered."""


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # during the imports
    from dvidpc.init.volume_arguments import is_config_file

    if not any(map(is_config_file, options.what)):
        return _serve_volumes(options)
    if len(options.what) > 1 or options.name or options.anonymous or options.host or options.port is not None:
        raise ConfigError(
            f"{options.what[0]}: a configuration file stands alone, without --name, --anonymous, --host and "
            "--port; write them into the file, or name volumes only"
        )
    return _serve_file(Path(options.what[0]), _opener(options))


def _serve_file(path: Path, on_ready: OnReady | None) -> int:
    from dvidpc.config import load_config
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.places import reserved
    from dvidpc.run.workers import pid_file

    config = load_config(path)
    set_up_logging(config.logging.settings)
    place = reserved(config.server.http_address, "[server] httpAddress", os.environ)
    with place as found, pid_file(config.server.pid_file):
        if config.server.workers == 1:
            return _run_alone(config, found, on_ready)
        return _run_workers(config, found, on_ready)


def _run_alone(config: "Config", place: "Place", on_ready: OnReady | None) -> int:
    from dvidpc.run.processes import collect_garbage, run_server

    collect_garbage()
    run_server(config, os.environ, on_ready=on_ready, sockets=place.sockets)
    return 0


def _run_workers(config: "Config", place: "Place", on_ready: OnReady | None) -> int:
    from dvidpc.run.processes import collect_garbage, run_worker
    from dvidpc.run.workers import supervise

    collect_garbage()
    started = time.time()

    def work(seat: "Seat") -> int:
        run_worker(config, os.environ, place, started, seat, on_ready if seat.number == 0 else None)
        return 0

    return supervise(config.server.workers, lambda seat: exit_code(lambda: work(seat)))


def _serve_volumes(options: argparse.Namespace) -> int:
    """Serve volumes without a configuration file, once each has been looked at."""
    import asyncio

    from dvidpc.init.looking import look
    from dvidpc.log.set_up import set_up_logging
    from dvidpc.run.processes import collect_garbage, run_server

    config, names = _config_of(options)
    seen = asyncio.run(look(config, os.environ))
    config = replace(config, stores=tuple(one.store for one in seen))
    set_up_logging(config.logging.settings)
    open_page = _opener(options)

    def show(url: str, uuid: str) -> None:
        sources = [f"  dvid://{url}/{uuid}/{name}" for name in names]
        _tell("\n".join([f"Served now: {url}/", *sources, "Ctrl-C stops the server."]))
        if open_page is not None:
            open_page(url, uuid)

    collect_garbage()
    run_server(config, os.environ, on_ready=show)
    return 0


def _config_of(options: argparse.Namespace) -> "tuple[Config, list[str]]":
    """Return the configuration that the options describe, and the names of its volumes."""
    from dvidpc.config import Address, parse_config
    from dvidpc.init.config_text import bare_text
    from dvidpc.init.volume_arguments import name_volumes

    volumes = name_volumes(options.what, options.name, anonymous=options.anonymous)
    port = DEFAULT_PORT if options.port is None else options.port
    text = bare_text(volumes, Address(options.host or "localhost", port), is_open=options.anonymous)
    return parse_config(text, "command line"), [volume.instance for volume in volumes]


def _opener(options: argparse.Namespace) -> OnReady | None:
    """Return what opens the page in a browser; None if that is not asked for."""
    if not options.open:
        return None

    import threading
    import webbrowser

    def open_page(url: str, _uuid: str) -> None:
        def work() -> None:
            if not url.startswith("http") or not webbrowser.open(f"{url}/"):
                _tell(f"No browser was opened. The server is at {url}")

        threading.Thread(target=work, name="browser", daemon=True).start()

    return open_page


def _init(options: argparse.Namespace) -> int:
    import asyncio

    from dvidpc.init.config_text import commented_text
    from dvidpc.init.looking import look

    config, _ = _config_of(options)
    text = commented_text(asyncio.run(look(config, os.environ)), config.server.http_address)
    if str(options.output) == "-":
        sys.stdout.write(text)
        return 0
    try:
        with options.output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{options.output} exists already; name another file with --output") from None
    except OSError as error:
        raise ConfigError(f"{options.output} cannot be written: {error.strerror}; name another") from error
    _tell(f"Wrote {options.output}. Next: dvidpc check {options.output}, then dvidpc serve {options.output}")
    return 0


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from dvidpc.check.printing import print_reports
    from dvidpc.config import load_config

    config = load_config(options.config)
    failed = asyncio.run(print_reports(config, deep=options.deep, as_json=options.json))
    return 1 if failed else 0


def _index(options: argparse.Namespace) -> int:
    try:
        from dvidpc.index.build.index_commands import build_index, print_check
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"dvidpc index needs the package {error.name}; run: pip install 'dvidpc[index]'"
        ) from error

    return build_index(options) if options.action == "build" else print_check(options)


def _cache(options: argparse.Namespace) -> int:
    from dvidpc.check.disk_cache_commands import run_cache_command
    from dvidpc.config import load_config

    return run_cache_command(options.action, load_config(options.config), sys.stdout)


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

    open_page = _opener(options)
    layout = Layout(options.format)
    directory = demo_directory(os.environ, layout)
    ensure_demo_volume(directory, sys.stderr, DEMO_SIZE, layout)
    path = directory.with_suffix(".toml")
    path.write_text(demo_config_text(directory, f"localhost:{options.port}", layout))
    config = load_config(path)
    set_up_logging(config.logging.settings)

    def show_guide(url: str, uuid: str) -> None:
        _tell(f"\n{demo_guide(url, uuid, layout)}")
        if open_page is not None:
            open_page(url, uuid)

    run_server(config, os.environ, on_ready=show_guide)
    return 0


def _complete(options: argparse.Namespace) -> int:
    import shtab

    shells = shtab.SUPPORTED_SHELLS
    if options.shell not in shells:
        raise ConfigError(
            f"{options.shell}: there is no completion for it; known shells are {', '.join(shells)}"
        )
    sys.stdout.write(shtab.complete(command_parser(shells, shtab.FILE), options.shell))
    return 0


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = MappingProxyType(
    {
        "serve": _serve,
        "view": _serve,
        "init": _init,
        "check": _check,
        "index": _index,
        "cache": _cache,
        "demo": _demo,
        "completion": _complete,
    }
)
"""The commands by name."""
