"""Every command of every page runs; a command that is run elsewhere names the test."""

import argparse
import asyncio
import contextlib
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dvidpc.cli.command_parser import command_parser
from tests.certificates import make_authority
from tests.processes import Command, running, wait_until
from tests.programs import need
from tests.serving import UUID
from tests.typed import NEVER_ENDS, PATIENCE_S, served

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for place in (".", "docs", "benchmarks") for path in (ROOT / place).glob("*.md"))
ELSEWHERE = {"pip install .": "test_the_wheel_works_in_an_empty_environment"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "made-up-secret"}


def blocks_of(page: Path) -> list[str]:
    """Return the blocks of shell commands of a page."""
    return re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands_in(block: str) -> list[str]:
    """Return the commands of a block: its lines without comments, or all of it if it holds a document."""
    if "<<" in block:
        return [block]
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def names(home: Path) -> Iterator[Mapping[str, str]]:
    """Run a server at each kind of address that pages name; yield what to write in place of each."""
    authority = make_authority(home)
    authority.issue("localhost")
    stores = "".join(
        f'[store.{name}]\nengine = "ngprecomputed"\nref = "{home}/path/to/{place}"\ninstance = "{name}"\n'
        for name, place in (("sample1", "volume"), ("segmentation", "labels"))
    )
    sock = home / "dvidpc.sock"
    keys = {
        "http": 'httpAddress = "localhost:0"\n[metrics]\naddress = "localhost:0"',
        "https": 'httpAddress = "localhost:0"\ntls_cert = "server.pem"',
        "unix": f'httpAddress = "unix:{sock}"',
    }
    found = {}
    with contextlib.ExitStack() as stack:
        for kind, text in keys.items():
            config = home / f"{kind}.toml"
            config.write_text(f'[server]\n{text}\n[repo]\nuuid = "{UUID}"\n{stores}')
            found[kind] = said_by(stack.enter_context(running(config)))
        yield {
            "http://localhost:8000": re.findall(r"server listening at (\S+)", found["http"])[0],
            "http://localhost:9100": re.findall(r"metrics at (\S+)/metrics", found["http"])[0],
            "https://localhost:8443": re.findall(r"server listening at (\S+)", found["https"])[0],
            "/run/dvidpc.sock": str(sock),
        }


def said_by(command: Command) -> str:
    """Return what a server has logged, once it listens."""
    wait_until(lambda: any("server listening at" in line for line in command.lines), command.lines)
    return "\n".join(command.lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_every_command_of_a_page_succeeds(
    page: Path, home: Path, environ: dict[str, str], names: Mapping[str, str], tmp_path: Path
) -> None:
    for block in blocks_of(page):
        for command in commands_in(block):
            if command in ELSEWHERE:
                continue
            if NEVER_ENDS.match(command):
                async with served(command, home, environ | CREDENTIALS):
                    continue
            script = command
            for written, actual in names.items():
                script = script.replace(written, actual)
            if script.startswith("curl "):
                script = script.replace("curl ", "curl --fail ", 1)
            place = tmp_path if command.startswith("dvidpc init") else home
            process = await asyncio.create_subprocess_exec(
                *(need("bash", "bash"), "-euo", "pipefail", "-c", script),
                cwd=place,
                env=environ | CREDENTIALS,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(PATIENCE_S):
                output, errors = await process.communicate()
            assert process.returncode == 0, (command, errors)
            assert output or not command.startswith(("curl", "dvidpc")) or ">" in command, command


def test_pages_have_the_commands_that_are_looked_for() -> None:
    for name, least in {
        "README.md": 6,
        "docs/operations.md": 8,
        "docs/clients.md": 5,
        "docs/from-dvid.md": 2,
    }.items():
        assert sum(len(commands_in(block)) for block in blocks_of(ROOT / name)) >= least


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_within_the_text_are_ones_that_can_be_given(page: Path) -> None:
    names = "serve|view|init|check|prefetch|demo|completion"
    for text in re.findall(rf"`(dvidpc (?:{names})\b[^`]*)`", page.read_text()):
        words = shlex.split(text.replace("...", ""))
        is_whole = words[1] == "demo" or any(not word.startswith("-") for word in words[2:])
        if is_whole:
            assert isinstance(command_parser().parse_args(words[1:]), argparse.Namespace)


def test_the_tests_that_run_a_command_exist() -> None:
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for name in ELSEWHERE.values():
        assert f"def {name}(" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_targets_of_make_exist(page: Path) -> None:
    for line in re.findall(r"`(make [^`]+)`", page.read_text()):
        words = [word for word in shlex.split(line) if "..." not in word]
        process = await asyncio.create_subprocess_exec(
            need("make", "make"), "--dry-run", *words[1:], cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0, line
