"""What is published: a wheel that works in an empty environment, and files that agree on the version."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from dvidpc import __version__
from tests.processes import get

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SLOW_S = 900


def run(*command: str | Path, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a command that has to succeed; return its stdout."""
    done = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=SLOW_S, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def serving(command: list[str | Path], cwd: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Run a command that serves; yield its URL, then stop it and expect code 0."""
    log = cwd / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=cwd, env=environ, stderr=stream, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"listening at (\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(SLOW_S)
def test_the_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    """Build as `make release` does, install into an environment of its own, and use that away from here."""
    dist, home = tmp_path / "dist", tmp_path / "home"
    home.mkdir()
    run(sys.executable, "-m", "build", "--outdir", dist, ROOT, cwd=tmp_path)
    [wheel], [source] = dist.glob("*.whl"), dist.glob("*.tar.gz")
    run(BIN / "twine", "check", "--strict", wheel, source, cwd=tmp_path)
    assert wheel.name == f"dvidpc-{__version__}-py3-none-any.whl"
    assert {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()} == {
        "dvidpc",
        f"dvidpc-{__version__}.dist-info",
    }
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "CITATION.cff"} <= names
    assert {"config.example.toml", "deploy/dvidpc.service", "docs/clients.md"} <= names

    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=home)
    dvidpc = tmp_path / "env" / "bin" / "dvidpc"
    environ = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": ""}
    assert run(dvidpc, "--version", cwd=home, environ=environ) == f"dvidpc {__version__}\n"
    place = run(python, "-c", "import dvidpc; print(dvidpc.__file__)", cwd=home, environ=environ)
    assert Path(place.strip()).is_relative_to(tmp_path / "env")

    with serving([dvidpc, "demo", "--port", "0"], home, environ) as url:
        assert get(f"{url}/readyz") == b"ok\n"
    [volume] = [path.parent for path in home.glob("cache/dvidpc/*/info")]
    with serving([dvidpc, "serve", volume, "--port", "0", "--name", "em"], home, environ) as url:
        assert b"<!doctype html>" in get(f"{url}/")
        assert b"import" in get(f"{url}/page/main.js")
        assert get(f"{url}/api/node/:master/em/raw/xy/64_64/0_0_100/jpg").startswith(b"\xff\xd8")
    run(dvidpc, "init", volume, cwd=home, environ=environ)
    assert "scale 0" in run(dvidpc, "check", "config.toml", cwd=home, environ=environ)
    assert "dvidpc" in run(dvidpc, "completion", "zsh", cwd=home, environ=environ)

    run(BIN / "cyclonedx-py", "environment", "--output-file", dist / "sbom.json", python, cwd=tmp_path)
    components = json.loads((dist / "sbom.json").read_text())["components"]
    assert {"dvidpc", "aiohttp", "numpy", "tensorstore"} <= {one["name"] for one in components}
    assert "pytest" not in {one["name"] for one in components}


def test_all_files_name_the_same_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    first = re.search(
        r"^## \[([^\]]+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert first is not None
    assert citation["version"] == first[1] == __version__
    assert str(citation["date-released"]) == first[2]
    assert citation["cff-version"] == "1.2.0"


def test_the_changelog_keeps_its_form() -> None:
    """Check that there are releases, and changes by kind below each."""
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert lines[0] == "# Changelog"
    for line in lines:
        if line.startswith("## "):
            assert re.fullmatch(r"## \[(Unreleased\]|[\d.]+\] - \d{4}-\d\d-\d\d)", line)
        if line.startswith("### "):
            assert line.removeprefix("### ") in kinds
