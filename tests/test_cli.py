"""The command line: exit codes, one line for an error, the version."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("name", ["no/such/directory/keys.log", "."], ids=["missing", "directory"])
def test_a_key_log_that_cannot_be_written_is_one_line(command: str, name: str, tmp_path: Path) -> None:
    """Virus scanners set the variable (cpython issue 90480, unsloth issue 8546)."""
    path = tmp_path / "config.toml"
    path.write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "dvidpc", command, path],
        env={**os.environ, "SSLKEYLOGFILE": str(tmp_path / name)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("dvidpc: SSLKEYLOGFILE names a file that cannot be written: ")
    assert done.stderr.endswith("; unset it\n")
    assert done.stderr.count("\n") == 1
