"""The command line: exit codes, one line for an error, the version."""

import subprocess
import sys
from pathlib import Path

from dvidpc import __version__
from tests.commands import run


def test_a_wrong_configuration_is_one_line_and_code_2(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[server]\nworkers = "many"\n')
    code, text = run("serve", str(path))
    assert code == 2
    assert text.startswith(f"dvidpc: {path}: [server] workers: ")
    assert text.count("\n") == 1


def test_the_version_is_printed() -> None:
    assert run("--version") == (0, f"dvidpc {__version__}\n")


def test_the_version_needs_no_heavy_import() -> None:
    program = (
        "import contextlib, sys, dvidpc.cli\n"
        "with contextlib.suppress(SystemExit):\n"
        "    dvidpc.cli.main(['--version'])\n"
        "print(*{'aiohttp', 'asyncio', 'msgspec', 'numpy', 'rich'} & sys.modules.keys())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"dvidpc {__version__}\n\n"
