"""Mixed traffic on a failing bucket whose shards are replaced; every block is compared with the truth.

`python -m tests.faulty.soak --minutes 10`, or `make soak`. The server is the real command in a process of
its own; clients and bucket are here. The last lines are the figures; the exit code is 1 if a block was wrong.

With `--disk`, the server has a disk cache smaller than the volumes, and its disk fails now and then. The exit
code is 1 too if the cache outgrew its budget, answered nothing, or caused a traceback.
"""

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import aiohttp
import psutil

from tests.blockstream import parse_stream
from tests.faulty import faults
from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.faults import PASSING, Chance
from tests.faulty.site import store_section
from tests.faulty.troubled_disk import (
    DiskFindings,
    TroubledDisk,
    disk_metrics,
    trouble,
    troubled_disk,
    watch_size,
)
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.programs import find
from tests.serving import UUID, config_text
from tests.volumes import XYZ, VolumeSpec, sharding

NODE = f"/api/node/{UUID}"
SIZE = (512, 512, 256)
HOLES = ((1, 1, 0), (5, 2, 3))
PLAIN = VolumeSpec(size=SIZE, holes=HOLES)
SHARDED = VolumeSpec(size=SIZE, holes=HOLES, sharding=sharding(shard_bits=2, minishard_bits=3))
CLIENTS = 8
REPLACE_EVERY_S = 5.0
TROUBLE_EVERY_S = 25.0
SAMPLE_EVERY_S = 5.0
LIMITS = """
[limits]
connect_timeout = 1
first_byte_timeout = 1
attempt_timeout = 3
request_deadline = 10
header_timeout = 2
[cache]
memory = "24MiB"
index_memory = "1MiB"
[server]
httpAddress = "127.0.0.1:0"
shutdownDelay = 0
"""
METRICS = """
[metrics]
address = "127.0.0.1:0"
"""


@dataclass
class Findings:
    """The results so far."""

    blocks: int = 0
    wrong: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    replaced: int = 0
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    """Samples: seconds since the start, resident MiB, open files."""
    disk: DiskFindings | None = None
    """None without a disk cache."""


class Expectations:
    """The allowed digests of each block, one for each version of its volume; None means not stored."""

    def __init__(self, versions: list[Truth]) -> None:
        self.blocks = versions[0].blocks
        self._allowed = {
            block: {digest(truth, block) if truth.is_stored(block) else None for truth in versions}
            for block in self.blocks
        }

    def wrong_in(self, asked: list[XYZ], body: bytes) -> list[str]:
        """Return what is wrong with a complete answer."""
        found = dict(parse_stream(body))
        return [
            f"block {block}"
            for block in {*asked, *found}
            if (hashlib.sha256(found[block]).digest() if block in found else None)
            not in self._allowed.get(block, set())
        ]


def digest(truth: Truth, block: XYZ) -> bytes:
    """Return the digest of an uncompressed payload."""
    return hashlib.sha256(truth.expected(block).transpose(2, 1, 0).tobytes()).digest()


async def client(number: int, url: str, volumes: dict[str, Expectations], findings: Findings) -> None:
    """Send random requests until cancelled; disconnect early now and then."""
    random = Random(number)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        while True:
            name = random.choice(list(volumes))
            blocks = random.sample(volumes[name].blocks, random.choice([1, 1, 1, 4, 20]))
            path = blocks_path(NODE, name, blocks)
            kind = random.random()
            if kind < 0.05:
                path = random.choice([f"{NODE}/{name}/info", "/api/repos/info", "/readyz", "/"])
            if kind > 0.95:
                with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                    async with asyncio.timeout(random.uniform(0, 0.02)), session.get(url + path) as answer:
                        await answer.read()
                findings.answers["left by the client"] += 1
                continue
            try:
                async with session.get(url + path) as answer:
                    body = await answer.read()
            except aiohttp.ClientError as error:
                findings.answers[f"cut off: {type(error).__name__}"] += 1
                continue
            findings.answers[str(answer.status)] += 1
            if answer.status != 200:
                findings.answers[reason_of(body)] += 1
            elif kind >= 0.05:
                findings.blocks += len(blocks)
                findings.wrong += [f"{name} {one}" for one in volumes[name].wrong_in(blocks, body)]
            await asyncio.sleep(random.uniform(0, 0.02))


def reason_of(body: bytes) -> str:
    """Return an error's text without the parts that differ between blocks."""
    text = body.decode(errors="replace").split(" (/api")[0]
    return "  " + re.sub(r"\S*(em|seg)/s0/\S+", "OBJECT", text)


async def replace_shards(bucket: FaultyBucket, directory: Path, findings: Findings) -> None:
    """Replace the shards by one version after the other, each atomically, as an upload does."""
    for version in itertools.cycle([directory / "second" / "s0", directory / "third" / "s0"]):
        await asyncio.sleep(REPLACE_EVERY_S)
        for shard in sorted(version.glob("*.shard")):
            new = bucket.directory / "seg" / "new"
            await asyncio.to_thread(new.write_bytes, shard.read_bytes())
            new.replace(bucket.directory / "seg" / "s0" / shard.name)
            findings.replaced += 1


async def watch(process: psutil.Process, findings: Findings) -> None:
    """Sample memory and open files until cancelled."""
    started = time.monotonic()
    while True:
        await asyncio.sleep(SAMPLE_EVERY_S)
        elapsed = time.monotonic() - started
        findings.samples.append((elapsed, process.memory_info().rss / 2**20, process.num_fds()))


@contextlib.contextmanager
def command(config: Path, *under: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Run `dvidpc serve`, wrapped by the command *under* if any; yield the process and its log.

    Another process writes the log file: a limit on the size of the server's files is none on its log.
    """
    log = config.with_suffix(".log")
    with (
        log.open("wb") as stream,
        subprocess.Popen([find("cat", "coreutils")], stdin=subprocess.PIPE, stdout=stream) as cat,
    ):
        assert cat.stdin is not None
        serve = [*under, sys.executable, "-m", "dvidpc", "serve", str(config)]
        process = subprocess.Popen(serve, stderr=cat.stdin)
        cat.stdin.close()
        try:
            yield process, log
        finally:
            process.terminate()
            process.wait(60)


async def address(log: Path) -> str:
    """Return the server's URL once it listens."""
    async with asyncio.timeout(30):
        while not (match := re.search(r"listening at (http://\S+)", log.read_text())):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return match[1]


async def soak(
    directory: Path,
    minutes: float,
    share: float,
    findings: Findings,
    disk: TroubledDisk | None = None,
    *,
    size: XYZ = SIZE,
    every_s: float = TROUBLE_EVERY_S,
) -> str:
    """Run the soak and return the server's log.

    Args:
        directory: Where everything is written.
        minutes: How long clients ask.
        share: The share of the bucket's answers that have a fault, 0 to 1.
        findings: Collects the results.
        disk: Where the server's disk cache is; None: it has none.
        size: That of the volumes.
        every_s: Seconds between two troubles of the disk.
    """
    volumes = write_volumes(directory, size)
    async with faulty_bucket(directory / "bucket") as bucket:
        config = directory / "config.toml"
        config.write_text(server_text(bucket, disk))
        with command(config) as (process, log):
            url = await address(log)
            bucket.chance = Chance(share, (*PASSING, faults.HANG))
            server = psutil.Process(process.pid)
            work = [client(number, url, volumes, findings) for number in range(CLIENTS)]
            work.append(replace_shards(bucket, directory, findings))
            work.append(watch(server, findings))
            if disk is not None:
                findings.disk = DiskFindings()
                work.append(trouble(disk, server, findings.disk, every_s))
                work.append(watch_size(disk, findings.disk))
            await run_for(work, minutes * 60)
            if process.poll() is not None:
                findings.wrong.append(f"the server ended with {process.returncode}")
            elif findings.disk is not None:
                findings.disk.metrics = await disk_metrics(log.read_text())
        findings.answers["(requests the bucket saw)"] = len(bucket.asked)
        findings.answers["(of these hurt by a fault)"] = bucket.hurt
        return log.read_text()


def write_volumes(directory: Path, size: XYZ) -> dict[str, Expectations]:
    """Write the volumes, and the shards that take turns in one of them; return what to expect of each."""
    sharded = replace(SHARDED, size=size)
    plain = write_truth(directory / "bucket" / "em", replace(PLAIN, size=size))
    first = write_truth(directory / "bucket" / "seg", sharded)
    second = write_truth(directory / "second", replace(sharded, seed=7, holes=HOLES[:1]))
    third = write_truth(directory / "third", sharded)
    assert digest(first, (0, 0, 0)) == digest(third, (0, 0, 0))
    return {"em": Expectations([plain]), "seg": Expectations([first, second])}


def server_text(bucket: FaultyBucket, disk: TroubledDisk | None, more: str = "") -> str:
    """Return the configuration; *more* is added to the section `[server]`."""
    stores = store_section("http", bucket) + store_section("s3", bucket, "seg")
    text = config_text({}, stores + LIMITS + more)
    if disk is None:
        return text
    return text.replace("[cache]\n", f"[cache]\n{disk.cache_keys}") + METRICS


async def run_for(work: list[Coroutine[object, object, None]], seconds: float) -> None:
    """Do all *work*, which does not end by itself, for some time; raise what it raises."""
    tasks = [asyncio.create_task(one) for one in work]
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def report(findings: Findings, log: str) -> dict[str, object]:
    """Return the figures."""
    warm = findings.samples[len(findings.samples) // 5 :] or [(0.0, 0.0, 0)]
    slope = 0.0
    if len(warm) > 2:
        slope = statistics.linear_regression([s[0] / 60 for s in warm], [s[1] for s in warm]).slope
    return {
        "blocks compared": findings.blocks,
        "blocks wrong": len(findings.wrong),
        "shards replaced": findings.replaced,
        "answers": dict(findings.answers.most_common()),
        "MiB resident, least and most after warm-up": [min(s[1] for s in warm), max(s[1] for s in warm)],
        "MiB a minute": round(slope, 2),
        "open files, least and most after warm-up": [min(s[2] for s in warm), max(s[2] for s in warm)],
        "tracebacks in the log": len(tracebacks(log)),
        **({} if findings.disk is None else findings.disk.figures(log)),
    }


def problems(findings: Findings, log: str) -> list[str]:
    """Return what must not be."""
    found = [f"WRONG: {wrong}" for wrong in findings.wrong]
    if findings.disk is not None:
        found += [f"TRACEBACK: {logged}" for logged in tracebacks(log)]
        if not findings.disk.is_bounded:
            found.append(f"THE DISK CACHE TOOK {findings.disk.most_bytes} BYTES")
        if not findings.disk.metrics.get("hits_total"):
            found.append("THE DISK CACHE ANSWERED NOTHING")
    return found


def tracebacks(log: str) -> list[str]:
    """Return the log lines that came with a traceback, each with the indented lines that follow."""
    return [
        record.strip()
        for record in re.split(r"\n(?! )", log)
        if re.search(r"\n +Traceback \(most recent call last\)", record)
    ]


def main() -> int:
    """Run the soak from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faults", type=float, default=0.02, help="share of the bucket's answers, 0 to 1")
    parser.add_argument("--log", type=Path, help="where to keep the server's log")
    parser.add_argument(
        "--disk",
        nargs="?",
        const="directory",
        choices=["directory", "tmpfs", "ext4"],
        help="have a disk cache that fails; a small file system of its own (root only) fails in more ways",
    )
    parser.add_argument("--trouble-every", type=float, default=TROUBLE_EVERY_S, help="seconds")
    options = parser.parse_args()
    findings = Findings()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = None
        if options.disk is not None:
            disk = stack.enter_context(troubled_disk(directory, options.disk))
        log = asyncio.run(
            soak(
                directory,
                options.minutes,
                options.faults,
                findings,
                disk,
                every_s=options.trouble_every,
            )
        )
    sys.stdout.write(json.dumps(report(findings, log), indent=2) + "\n")
    if options.log is not None:
        options.log.write_text(log)
    for problem in problems(findings, log)[:20]:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"wrong blocks: {len(findings.wrong)}\n")
    return bool(problems(findings, log))


if __name__ == "__main__":
    sys.exit(main())
