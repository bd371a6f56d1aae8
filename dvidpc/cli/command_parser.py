"""The commands and their options. Every command's help ends with examples, which the tests run."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from dvidpc import __version__

DEFAULT_PORT: Final = 8000
DEFAULT_SAMPLES: Final = 200
"""Of `dvidpc index check`."""

_Add: TypeAlias = Callable[[str, str, str], argparse.ArgumentParser]
"""Adds a command: its name, what it does, and the examples at the end of its help."""

_WHAT = "a URL such as s3://bucket/volume, gs://..., https://..., or a directory"
_SERVE_EXAMPLES = """\
examples:
  dvidpc serve config.toml
  dvidpc serve path/to/volume
  dvidpc serve s3://bucket/volume --anonymous
  dvidpc serve path/to/image path/to/labels --name em --name segmentation --port 8001
"""
_VIEW_EXAMPLES = """\
example:
  dvidpc view path/to/volume
"""
_INIT_EXAMPLES = """\
examples:
  dvidpc init path/to/volume
  dvidpc init s3://bucket/volume --anonymous --output public.toml
"""
_CHECK_EXAMPLES = """\
examples:
  dvidpc check config.toml
  dvidpc check config.toml --deep --json
"""
_INDEX_EXAMPLES = """\
examples:
  dvidpc index build config.toml --store labels --to path/to/labels.index
  dvidpc index check config.toml --store labels
"""
_CACHE_EXAMPLES = """\
examples:
  dvidpc cache stats config.toml
  dvidpc cache verify config.toml
  dvidpc cache clear config.toml
"""
_DEMO_EXAMPLES = """\
examples:
  dvidpc demo --port 8002
  dvidpc demo --format zarr
"""
_COMPLETION_EXAMPLES = """\
example, for this shell; write it to a file that the shell reads at its start to keep it:
  eval "$(dvidpc completion bash)"
"""


def command_parser(shells: Sequence[str] = (), files: object = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line; `command` in its result names the command.

    Args:
        shells: The shells that `dvidpc completion` knows; empty: whatever it is given.
        files: How shells complete the names of files, as shtab says it; None: no shell asks.
    """
    parser = argparse.ArgumentParser(
        prog="dvidpc",
        description="Serve Neuroglancer precomputed volumes, zarr and N5 as a DVID server.",
        epilog="example:\n  dvidpc --version\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"dvidpc {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    _add_serve(add, files)
    _add_view(add, files)
    _add_init(add, files)
    _add_check(add, files)
    _add_index(add, files)
    _add_cache(add, files)
    _add_demo(add)
    completion = add(
        "completion", "print the script that completes this command in a shell", _COMPLETION_EXAMPLES
    )
    completion.add_argument("shell", choices=shells or None, help="bash, fish, zsh or another one")
    return parser


def _add_serve(add: _Add, files: object) -> None:
    summary = "serve the volumes of a configuration file, or the volumes named here"
    serve = add("serve", summary, _SERVE_EXAMPLES)
    _add_what(serve, files, "CONFIG|REF", f"a TOML file in DVID's format, or {_WHAT}")
    _add_volume_options(serve)
    serve.add_argument("--open", action="store_true", help="open the page in a browser")


def _add_view(add: _Add, files: object) -> None:
    view = add("view", "serve volumes and open their page in a browser", _VIEW_EXAMPLES)
    _add_what(view, files, "CONFIG|REF", f"a TOML file in DVID's format, or {_WHAT}")
    _add_volume_options(view)
    view.set_defaults(open=True)


def _add_init(add: _Add, files: object) -> None:
    init = add("init", "look at volumes and write a configuration file for them", _INIT_EXAMPLES)
    _add_what(init, files, "REF", _WHAT)
    _add_volume_options(init)
    output = init.add_argument(
        "--output",
        type=Path,
        default=Path("config.toml"),
        metavar="FILE",
        help="the file to write, which must not exist (default config.toml; -: stdout)",
    )
    _complete_by(output, files)


def _add_check(add: _Add, files: object) -> None:
    check = add("check", "report how the volumes of a configuration file are served", _CHECK_EXAMPLES)
    _add_config(check, files)
    check.add_argument("--json", action="store_true", help="print one line of JSON per volume")
    check.add_argument("--deep", action="store_true", help="count the stored chunks of every scale")


def _add_index(add: _Add, files: object) -> None:
    index = add("index", "build or check the label index of a segmentation", _INDEX_EXAMPLES)
    actions = index.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (
        ("build", "find out which blocks hold each label; a build that was stopped goes on"),
        ("check", "compare an index with its volume: versions, totals, and random blocks and labels"),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        _add_config(action, files)
        action.add_argument("--store", required=True, metavar="NAME", help="the alias of the volume's store")
        action.add_argument("--json", action="store_true", help="print lines of JSON")
        if name == "build":
            _add_build_options(action)
        else:
            action.add_argument(
                "--samples",
                type=int,
                default=DEFAULT_SAMPLES,
                metavar="N",
                help="blocks, and labels, to compare (default %(default)s)",
            )


def _add_build_options(build: argparse.ArgumentParser) -> None:
    build.add_argument(
        "--to", required=True, metavar="REF", help="where to: a directory, s3://... or gs://..."
    )
    build.add_argument(
        "--scratch", metavar="REF", help="where files between the steps go (default: REF.scratch)"
    )
    where = build.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    where.add_argument("--scheduler-file", type=Path, metavar="FILE", help="the file of a Dask scheduler")
    where.add_argument(
        "--workers", type=int, metavar="N", help="processes to start (default: one for each core)"
    )


def _add_cache(add: _Add, files: object) -> None:
    cache = add("cache", "look after the disk cache of a configuration file", _CACHE_EXAMPLES)
    actions = cache.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (
        ("stats", "show what is in the disk cache, by store"),
        ("verify", "compare everything with its checksum, and remove what is damaged"),
        ("clear", "empty the disk cache"),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        _add_config(action, files)


def _add_demo(add: _Add) -> None:
    demo = add("demo", "create a small volume, if it does not exist, and serve it", _DEMO_EXAMPLES)
    demo.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to serve it on (default %(default)s; 0: any)"
    )
    demo.add_argument(
        "--format",
        choices=("precomputed", "zarr"),
        default="precomputed",
        help="format of the volume (default %(default)s); zarr: OME-Zarr",
    )
    demo.add_argument("--open", action="store_true", help="open the page in a browser")


def _add_config(parser: argparse.ArgumentParser, files: object) -> None:
    config = parser.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file in DVID's format")
    _complete_by(config, files)


def _add_what(parser: argparse.ArgumentParser, files: object, metavar: str, meaning: str) -> None:
    _complete_by(parser.add_argument("what", nargs="+", metavar=metavar, help=meaning), files)


def _complete_by(argument: argparse.Action, way: object) -> None:
    """Have shells complete *argument* in one of shtab's ways."""
    vars(argument)["complete"] = way


def _add_volume_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="the data name of a volume, once for each in order (default: the last part of its place)",
    )
    parser.add_argument(
        "--anonymous",
        action="store_true",
        help="read without credentials, as from a public bucket, and let every web page read",
    )
    parser.add_argument("--port", type=int, help=f"port to serve on (default {DEFAULT_PORT}; 0: any)")
    parser.add_argument("--host", help="address to serve on (default localhost; 0.0.0.0: every interface)")
