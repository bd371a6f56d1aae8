"""The commands and their options. Every command's help ends with examples, which the tests run."""

import argparse
from pathlib import Path
from typing import Final

from dvidpc import __version__

DEFAULT_PORT: Final = 8000

FILES: Final = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
"""How shells complete the name of a file: the value of `shtab.FILE`, without importing it at each start."""

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
_DEMO_EXAMPLES = """\
example:
  dvidpc demo --port 8002
"""
_COMPLETION_EXAMPLES = """\
example, for this shell; write it to a file that the shell reads at its start to keep it:
  eval "$(dvidpc completion bash)"
"""


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; `command` in its result names the command."""
    parser = argparse.ArgumentParser(
        prog="dvidpc",
        description="Serve Neuroglancer precomputed volumes as a DVID server.",
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

    serve = add("serve", "serve the volumes of a configuration file, or the volumes named here", _SERVE_EXAMPLES)
    _add_what(serve, "CONFIG|REF", f"a TOML file in DVID's format, or {_WHAT}")
    _add_volume_options(serve)
    _add_address_options(serve)
    serve.add_argument("--open", action="store_true", help="open the page in a browser")

    view = add("view", "serve volumes and open their page in a browser", _VIEW_EXAMPLES)
    _add_what(view, "CONFIG|REF", f"a TOML file in DVID's format, or {_WHAT}")
    _add_volume_options(view)
    _add_address_options(view)
    view.set_defaults(open=True)

    init = add("init", "look at volumes and write a configuration file for them", _INIT_EXAMPLES)
    _add_what(init, "REF", _WHAT)
    _add_volume_options(init)
    _add_address_options(init)
    output = init.add_argument(
        "--output",
        type=Path,
        default=Path("config.toml"),
        metavar="FILE",
        help="the file to write, which must not exist (default config.toml; -: stdout)",
    )
    _complete_files(output)

    check = add("check", "report how the volumes of a configuration file are served", _CHECK_EXAMPLES)
    config = check.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file in DVID's format")
    _complete_files(config)
    check.add_argument("--json", action="store_true", help="print one line of JSON per volume")
    check.add_argument("--deep", action="store_true", help="count the stored chunks of every scale")

    demo = add("demo", "create a small volume, if it does not exist, and serve it", _DEMO_EXAMPLES)
    demo.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to serve it on (default %(default)s; 0: any)"
    )
    demo.add_argument("--open", action="store_true", help="open the page in a browser")

    completion = add("completion", "print the script that completes this command in a shell", _COMPLETION_EXAMPLES)
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")
    return parser


def _add_what(parser: argparse.ArgumentParser, metavar: str, meaning: str) -> None:
    _complete_files(parser.add_argument("what", nargs="+", metavar=metavar, help=meaning))


def _complete_files(argument: argparse.Action) -> None:
    """Have shells complete *argument* by the names of files."""
    vars(argument)["complete"] = FILES


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


def _add_address_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help=f"port to serve on (default {DEFAULT_PORT}; 0: any)")
    parser.add_argument("--host", help="address to serve on (default localhost; 0.0.0.0: every interface)")
