"""What befalls the engines of `disk_engines.py` in trouble: `python -m benchmarks.engine_trouble`.

Prints what happened to each engine, in words; to SQLite with one size of pages. A full disk is a file system
of 64 MiB in memory, mounted where only this program sees it (`unshare`, util-linux).
"""

import argparse
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.disk_engines import BATCH, VALUE_BYTES, items_of, name_of, value_of
from benchmarks.engines import ENGINES, Engine

MAP_BYTES = 2**34


def say(text: str) -> None:
    """Print a line at once: the process may end at any moment."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def error_of(step: Callable[[], object]) -> str | None:
    """Run *step* in a thread, as a cache would; return its error, None if there is none."""
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(step).exception()
    return None if error is None else f"{type(error).__name__}: {str(error)[:60]}"


def what_is_there(engine: Engine, count: int) -> str:
    """Read the first *count* values; return how many are right, absent, wrong, or cannot be read."""
    found: Counter[str] = Counter()

    def look(name: bytes) -> None:
        value = engine.get(name)
        found["absent" if value is None else "right" if value == value_of(name) else "wrong"] += 1

    for name in map(name_of, range(count)):
        error = error_of(functools.partial(look, name))
        if error:
            found[error] += 1
    return ", ".join(f"{number} {text}" for text, number in found.items())


def write_on(name: str, directory: Path) -> None:
    """Write batches until killed; say after each how many values are written."""
    engine, at = ENGINES[name](directory, MAP_BYTES), 0
    while True:
        engine.replace([], items_of(range(at, at + BATCH)))
        at += BATCH
        say(str(at))


def killed(name: str, directory: Path) -> None:
    """Kill a writer five times; say what is left of what it had written, and how long opening takes."""
    took, whole = [], 0
    for turn in range(5):
        writer = _start("write_on", name, directory / str(turn))
        time.sleep(0.8 + 0.17 * turn)
        writer.kill()
        count = int(writer.communicate()[0].rpartition("\n")[0].splitlines()[-1])
        started = time.perf_counter()
        engine = ENGINES[name](directory / str(turn), MAP_BYTES)
        engine.get(name_of(0))
        took.append(time.perf_counter() - started)
        whole += what_is_there(engine, count) == f"{count} right"
        engine.close()
    say(f"nothing lost {whole} of 5 times, opened again in {max(took) * 1e3:.0f} ms")


def full(name: str, directory: Path) -> None:
    """Fill a disk; say what writing, reading and writing in the place of other values do."""
    engine, written = ENGINES[name](directory / "full", MAP_BYTES), 0
    error = None
    while not error:
        error = error_of(functools.partial(engine.replace, [], items_of(range(written, written + BATCH))))
        written += 0 if error else BATCH
    say(error)
    say(f"then {what_is_there(engine, written)}")
    old = [name_of(number) for number in range(BATCH)]
    error = error_of(lambda: engine.replace(old, items_of(range(written, written + BATCH))))
    say(f"in the place of others: {error or 'well'}")


def _filled(name: str, directory: Path) -> list[Path]:
    """Write 500 values, and return the files that hold them."""
    engine = ENGINES[name](directory, MAP_BYTES)
    engine.replace([], items_of(range(500)))
    engine.close()
    return [path for path in directory.rglob("*") if path.is_file() and path.stat().st_size > VALUE_BYTES - 1]


def cut(name: str, directory: Path) -> None:
    """Cut off the second half of each file while it is open; say what reading does."""
    files = _filled(name, directory / "cut")
    engine = ENGINES[name](directory / "cut", MAP_BYTES)
    for path in files:
        os.truncate(path, path.stat().st_size // 2)
    say(what_is_there(engine, 500))


def changed(name: str, directory: Path) -> None:
    """Change a byte in every 64 KiB of the values; say what reading does."""
    for path in _filled(name, directory / "changed"):
        content = bytearray(path.read_bytes())
        for at in range(20_000, len(content), 2**16):
            content[at] ^= 0x55
        path.write_bytes(content)
    say(what_is_there(ENGINES[name](directory / "changed", MAP_BYTES), 500))


def two(name: str, directory: Path) -> None:
    """Read here what another process is writing, and write here too; say what each gets."""
    writer = _start("write_on", name, directory / "two")
    time.sleep(0.6)

    def use() -> None:
        engine = ENGINES[name](directory / "two", MAP_BYTES)
        say(what_is_there(engine, BATCH))
        end, count = time.perf_counter() + 1, 0
        while time.perf_counter() < end:
            engine.replace([], items_of(range(10**6 + count, 10**6 + count + BATCH)))
            count += BATCH
        say(f"{count} values a second")

    say(error_of(use) or "both write")
    writer.kill()
    others = writer.communicate()[0].splitlines()
    say(f"the other {others[-1]} values in 1.6 seconds")


def read_only(name: str, directory: Path) -> None:
    """Open in a directory of a read-only file system; say what happens."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", directory], check=True)
    say(error_of(lambda: ENGINES[name](directory / "cache", MAP_BYTES)) or "opened")


WHAT: Mapping[str, Callable[[str, Path], None]] = {
    "killed": killed,
    "full": full,
    "cut": cut,
    "changed": changed,
    "two": two,
    "read_only": read_only,
}


def _start(what: str, name: str, directory: Path, space: Sequence[str] = ()) -> "subprocess.Popen[str]":
    command = [
        *space,
        sys.executable,
        "-m",
        "benchmarks.engine_trouble",
        "--what",
        what,
        name,
        str(directory),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def happened(what: str, name: str) -> str:
    """Do one thing to one engine in a process of its own; return what it said, or what ended it."""
    space: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        if what in ("full", "read_only"):
            mount = f"mount -t tmpfs -o size=64m none {place} && " if what == "full" else ""
            space = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount}exec "$@"', "sh"]
        started = _start(what, name, Path(place), space)
        output, _ = started.communicate()
    if started.returncode < 0:
        return f"the process ends with {signal.Signals(-started.returncode).name}"
    return "; ".join(output.splitlines())


def main() -> None:
    """Do all to each engine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_trouble", description=__doc__)
    parser.add_argument("--only", default="", help="only the engines whose name holds this")
    parser.add_argument("--what", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what:
        what, name, place = options.what
        {**WHAT, "write_on": write_on}[what](name, Path(place))
        return
    for name in ENGINES:
        if options.only in name and ("SQLite" not in name or "16 KiB" in name):
            say(name)
            for what in WHAT:
                say(f"  {what}: {happened(what, name)}")


if __name__ == "__main__":
    main()
