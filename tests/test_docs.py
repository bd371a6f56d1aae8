"""The pages are up to date: their commands run, and the files, tests and headings they name exist."""

import asyncio
import fnmatch
import re
import shlex
import sys
from pathlib import Path

import pytest

from dvidpc.config.reference import reference
from tests.commands import running
from tests.load.run import LONG, ROWS
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume

ROOT = Path(__file__).parents[1]
ROOMS = "deploy|run|web|dvid|http|data|volume|sources|cache|storage|formats|config|log"
OURS = ("operations.md", "from-dvid.md")
PAGES = sorted(path for place in (".", "docs", "benchmarks") for path in (ROOT / place).glob("*.md"))


def commands_of(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def test_the_configuration_page_is_generated_from_the_types() -> None:
    page = ROOT / "docs" / "configuration.md"
    assert page.read_text() == reference(), "run: python -m dvidpc.config.reference > docs/configuration.md"


async def test_every_command_of_a_page_succeeds(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    more = '[server]\nhttpAddress = "localhost:0"\n[metrics]\naddress = "localhost:0"\n'
    commands = [line for name in OURS for line in commands_of(ROOT / "docs" / name)]
    assert len(commands) >= 6
    async with running(config_text({"em": tmp_path / "volume"}, more), tmp_path) as command:
        metrics = (await command.read_until(r"metrics at (\S+)/metrics"))[1]
        url = (await command.read_until(r"web server listening at (\S+)"))[1]
        for line in commands:
            if line.startswith("dvidpc check "):
                assert await _check(shlex.split(line), tmp_path / "command.toml") == 0
                continue
            if not line.startswith("curl "):
                assert line == "dvidpc serve config.toml"  # which is what `running` does
                continue
            words = shlex.split(
                line.replace("http://localhost:8000", url).replace("http://localhost:9100", metrics)
            )
            client = await asyncio.create_subprocess_exec(*words, "--fail", stdout=asyncio.subprocess.PIPE)
            output, _ = await client.communicate()
            assert (client.returncode, bool(output)) == (0, True), line


async def _check(words: list[str], config: Path) -> int:
    """Run a `dvidpc check` command of a page on an existing configuration."""
    given = [str(config) if word == "config.toml" else word for word in words[1:]]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dvidpc", *given, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    for name in re.findall(rf"`((?:{ROOMS})/[\w./-]+\.\w+)`", text):
        place = ROOT if name.startswith("deploy/") else ROOT / ("tests" if "/test_" in name else "dvidpc")
        assert (place / name).is_file(), name
    for name in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_that_a_page_links_to_exist(page: Path) -> None:
    for name, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", page.read_text()):
        linked = page.parent / name if name else page
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    sources = {path.name: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    functions = re.findall(r"def (test_\w+)\(", "".join(sources.values()))
    for name in re.findall(r"`(test_[\w.*]+)`", page.read_text()):
        known = sources if name.endswith(".py") else functions
        assert fnmatch.filter(known, name), name


def test_load_rows_that_the_reliability_page_names_exist() -> None:
    named = set(re.findall(r"make load ROWS=(\w+)", (ROOT / "docs" / "reliability.md").read_text()))
    assert len(named) > 10
    assert named <= (ROWS | LONG).keys()
