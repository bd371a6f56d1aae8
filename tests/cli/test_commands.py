"""The commands as somebody types them: every example of the help, wrong arguments, a browser, a shell."""

import asyncio
import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
import shtab

from tests.commands import run
from tests.programs import need
from tests.typed import NEVER_ENDS, PATIENCE_S, served
from tests.waiting import soon

COMMANDS = ("serve", "view", "init", "check", "index", "cache", "demo", "completion")


def examples_of(*command: str) -> list[str]:
    """Return the examples at the end of the help of a command."""
    code, text = run(*command, "--help")
    assert code == 0
    examples = text.partition("\nexample")[2].splitlines()[1:]
    return [line.strip() for line in examples if line.startswith("  ")]


async def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str, Mapping[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), response.headers


def test_every_command_has_examples() -> None:
    assert examples_of() == ["dvidpc --version"]
    for command in COMMANDS:
        assert examples_of(command), command


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_example_of_the_help_works(command: str, home: Path, environ: dict[str, str]) -> None:
    for line in examples_of(command):
        if NEVER_ENDS.match(line):
            async with served(line, home, environ) as url:
                assert (await fetch(f"{url}/readyz"))[:2] == (200, "ok\n")
            continue
        has_place = command != "init" or "--output" in line  # there is a config.toml already
        script = line if has_place else f"{line} --output written.toml"
        process = await asyncio.create_subprocess_exec(
            need("bash", "bash"), "-c", script, cwd=home, env=environ, stdout=asyncio.subprocess.DEVNULL
        )
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0, line


async def test_a_public_bucket_is_served_to_every_page(home: Path, environ: dict[str, str]) -> None:
    origin = {"Origin": "https://neuroglancer-demo.appspot.com"}
    async with served("dvidpc serve s3://bucket/volume --anonymous", home, environ) as url:
        _, text, headers = await fetch(f"{url}/api/repos/info", origin)
        assert '"volume"' in text
        assert headers["Access-Control-Allow-Origin"] == "*"
    async with served("dvidpc serve path/to/volume", home, environ) as url:
        _, _, headers = await fetch(f"{url}/api/repos/info", origin)
        assert "Access-Control-Allow-Origin" not in headers
    async with served("dvidpc demo", home, environ) as url:
        assert (await fetch(f"{url}/", origin))[2]["Access-Control-Allow-Origin"] == "*"


async def test_several_volumes_are_served_under_the_names_given(home: Path, environ: dict[str, str]) -> None:
    line = "dvidpc serve path/to/image s3://bucket/volume path/to/labels --name em --anonymous"
    async with served(line, home, environ) as url:
        _, text, _ = await fetch(f"{url}/api/repos/info")
    for name in ("em", "volume", "labels"):
        assert f'"{name}"' in text
    assert '"image"' not in text


@pytest.mark.parametrize(
    "line", ["dvidpc view path/to/volume", "dvidpc view config.toml", "dvidpc demo --open"]
)
async def test_the_page_is_opened_in_the_browser(home: Path, environ: dict[str, str], line: str) -> None:
    opened = home / "opened"
    opened.unlink(missing_ok=True)
    async with served(line, home, environ) as url:
        await soon(lambda: opened.exists() and opened.read_text().endswith("\n"), 0.02, PATIENCE_S)
        assert opened.read_text() == f"{url}/\n"


def complaint(home: Path, environ: Mapping[str, str], line: str) -> str:
    """Return the one line of a command that has to fail with code 2."""
    done = subprocess.run(
        shlex.split(line), cwd=home, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("dvidpc: ")
    return done.stderr


WRONG = {
    "dvidpc serve path": "there is one below it",
    "dvidpc serve cache": "cache/info does not exist",
    "dvidpc serve nowhere": "nowhere: there is no such file or directory; name a configuration file",
    "dvidpc serve nowhere.toml": "nowhere.toml: cannot be read",
    "dvidpc serve s3://bucket/nothing --anonymous": "404, not found: s3://bucket/nothing/info does not exist",
    "dvidpc serve s3://bucket/volume": "add --anonymous",
    "dvidpc serve ftp://bucket/volume": "ftp://bucket/volume: ",
    "dvidpc serve config.toml path/to/volume": "a configuration file stands alone",
    "dvidpc serve config.toml --port 9": "a configuration file stands alone",
    "dvidpc serve path/to/volume --name a/b": "--name a/b: ",
    "dvidpc serve path/to/volume --name a --name b": "--name is given 2 times",
    "dvidpc serve path/to/volume --port 99999": "99999",
    "dvidpc serve path/to/volume --host nowhere.invalid": "--host and --port: cannot listen on nowhere",
    "dvidpc init nowhere": "there is no such file or directory",
    "dvidpc init path/to/volume": "config.toml exists already; name another file with --output",
    "dvidpc init path/to/volume --output nowhere/config.toml": "cannot be written",
    "dvidpc completion command.com": "known shells are bash",
    "dvidpc view nowhere": "there is no such file or directory",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_argument_gets_one_line(home: Path, environ: dict[str, str], line: str) -> None:
    assert WRONG[line] in complaint(home, environ, line)


async def test_what_init_writes_is_served(home: Path, environ: dict[str, str], tmp_path: Path) -> None:
    line = f"dvidpc init {home}/path/to/volume s3://bucket/volume --name em --anonymous --port 0"
    done = await asyncio.create_subprocess_exec(*shlex.split(line), cwd=tmp_path, env=environ)
    assert await done.wait() == 0
    check = await asyncio.create_subprocess_exec(
        *shlex.split("dvidpc check config.toml"), cwd=tmp_path, env=environ, stdout=asyncio.subprocess.DEVNULL
    )
    assert await check.wait() == 0
    async with served("dvidpc serve config.toml", tmp_path, environ) as url:
        assert (await fetch(f"{url}/readyz"))[:2] == (200, "ok\n")


def test_init_writes_to_stdout(home: Path) -> None:
    code, text = run("init", str(home / "path/to/volume"), "--output", "-")
    assert code == 0
    assert f'ref = "file://{home}/path/to/volume/"' in text


async def test_sighup_does_not_end_a_server_without_a_configuration(
    home: Path, environ: dict[str, str]
) -> None:
    process = await asyncio.create_subprocess_exec(
        *shlex.split("dvidpc serve path/to/volume --port 0"),
        cwd=home,
        env=environ,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        for words in (b"listening at", b"named on the command line"):
            line = b"begin"
            while words not in line:
                line = await process.stderr.readline()
                assert line, "the server has ended"
            process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


COMPLETIONS = {"dvidpc se": "serve", "dvidpc serve --anon": "--anonymous", "dvidpc completion ": "bash"}


@pytest.mark.parametrize("typed", COMPLETIONS)
def test_bash_completes_what_is_typed(environ: dict[str, str], typed: str) -> None:
    words = [*typed.split(" ")]
    script = f"""
        eval "$(dvidpc completion bash)"
        COMP_WORDS=({" ".join(shlex.quote(word) for word in words)}) COMP_CWORD={len(words) - 1}
        "$(complete -p dvidpc | sed 's/.*-F \\([^ ]*\\).*/\\1/')" dvidpc
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [need("bash", "bash"), "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert COMPLETIONS[typed] in done.stdout.split()


@pytest.mark.parametrize("shell", shtab.SUPPORTED_SHELLS)
def test_each_shell_gets_a_script_that_names_every_command(shell: str) -> None:
    code, text = run("completion", shell)
    assert code == 0
    assert all(command in text for command in COMMANDS)
