"""S5: run the server, and the tests, as nobody without capabilities on a read-only disk, with bubblewrap.

`make load ROWS=sandbox` asks a server for everything, where nothing but the directory of its log can be
written. `make sandbox`, or `python -m tests.load.sandbox` with pytest's arguments, runs the tests, for which
a directory of their own is writable.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import psutil

from tests.faulty.soak import address
from tests.load.mutations import TARGETS
from tests.load.place import scratch
from tests.programs import find
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume

NOBODY = 65534
REPOSITORY = Path(__file__).parents[2]
STOP_S = 30


def sandboxed(command: Sequence[str | Path], writable: Sequence[Path]) -> list[str]:
    """Return *command* wrapped to run as nobody on a read-only disk where only *writable* can be written."""
    arguments = [find("bwrap", "bubblewrap"), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    arguments += ["--tmpfs", "/dev/shm", "--remount-ro", "/dev/shm", "--die-with-parent"]  # noqa: S108 - to have none
    home, python = Path.home(), Path(sys.base_prefix)
    if python.is_relative_to(home):  # which nobody can enter
        arguments += ["--perms", "0755", "--tmpfs", f"{home}"]
        for parent in reversed([one for one in python.parents if one.is_relative_to(home) and one != home]):
            arguments += ["--perms", "0755", "--dir", f"{parent}"]
        arguments += ["--ro-bind", f"{python}", f"{python}", "--remount-ro", f"{home}"]
    for directory in writable:
        arguments += ["--bind", f"{directory}", f"{directory}"]
    if os.getuid() == 0:
        who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all"]
        arguments += ["--", find("setpriv", "util-linux"), *who, "--inh-caps=-all", "--no-new-privs"]
    else:
        arguments += ["--unshare-user", "--uid", f"{NOBODY}", "--gid", f"{NOBODY}", "--"]
    return [*arguments, *map(str, command)]


@contextlib.contextmanager
def _for_nobody(directory: Path) -> Iterator[Path]:
    directory.mkdir()
    directory.chmod(0o777)
    yield directory


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        directory.chmod(0o755)
        write_volume(directory / "em", VolumeSpec(encoding="jpeg", scale_levels=2))
        write_volume(directory / "seg", VolumeSpec(data_type="uint64", encoding="compressed_segmentation"))
        with _for_nobody(directory / "log") as logs:
            stores = {"em": directory / "em", "seg": directory / "seg"}
            server = '[server]\nhttpAddress = "127.0.0.1:0"\nshutdownDelay = 0\n'
            logging = f'[logging]\nlogfile = "{logs}/dvidpc.log"\n'
            config = directory / "config.toml"
            config.write_text(config_text(stores, server + logging))
            return await _serve(config, logs)


async def _serve(config: Path, logs: Path) -> dict[str, object]:
    log = logs / "dvidpc.log"
    log.touch()
    log.chmod(0o666)
    command = sandboxed([sys.executable, "-B", "-m", "dvidpc", "serve", config], [logs])
    process = subprocess.Popen(command, cwd=REPOSITORY)  # noqa: ASYNC220 - waits for nothing
    try:
        url = await address(log)
        running = next(
            one for one in psutil.Process(process.pid).children(recursive=True) if "serve" in one.cmdline()
        )
        paths = [path.replace("/em/", f"/{name}/") for path in TARGETS for name in ("em", "seg")]
        answers = await _ask(url, sorted(set(paths)))
        owner, rights = running.uids().effective, _rights(running.pid)
        running.terminate()
        code = await asyncio.to_thread(process.wait, STOP_S)
    finally:
        if process.poll() is None:
            process.kill()
    text = log.read_text()
    return {
        "user": owner,
        "capabilities": rights,
        "answers that were 200": f"{sum(status == 200 for status in answers.values())} of {len(answers)}",
        "others": {path: status for path, status in answers.items() if status != 200},
        "files written": sorted(one.name for one in logs.iterdir()),
        "warnings and tracebacks in the log": [
            line
            for line in text.splitlines()
            if " WARNING " in line or " ERROR " in line or "Traceback" in line
        ],
        "ended by SIGTERM with": code,
    }


async def _ask(url: str, paths: Sequence[str]) -> dict[str, int]:
    answers = {}
    async with aiohttp.ClientSession() as session:
        for path in paths:
            async with session.get(url + path) as answer:
                await answer.read()
                answers[path] = answer.status
    return answers


def _rights(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("CapEff"))


def main() -> int:
    """Run the tests in the sandbox; the arguments are passed to pytest."""
    with tempfile.TemporaryDirectory() as scratch_directory:
        Path(scratch_directory).chmod(0o755)
        with _for_nobody(Path(scratch_directory) / "tmp") as place:
            options = ["-p", "no:cacheprovider", f"--basetemp={place}/pytest", *sys.argv[1:]]
            environ = {**os.environ, "TMPDIR": str(place), "HOME": str(place)}
            environ |= {"HYPOTHESIS_STORAGE_DIRECTORY": f"{place}/hypothesis", "PYTHONDONTWRITEBYTECODE": "1"}
            command = sandboxed([sys.executable, "-m", "pytest", *options], [place])
            return subprocess.run(command, cwd=REPOSITORY, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
