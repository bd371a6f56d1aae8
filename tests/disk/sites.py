"""Servers with a disk cache, in front of web servers and buckets that remember what they were asked for."""

import posixpath
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from dvidpc.http.metric_sources import METRICS
from dvidpc.storage.ref import METADATA_FILES
from tests.commands import Command, running
from tests.faulty.bucket import FaultyBucket
from tests.faulty.site import limits_section
from tests.faulty.truth import Truth, write_truth
from tests.programs import need
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec

FAKETIME = "/usr/$LIB/faketime/libfaketimeMT.so.1"
"""The dynamic linker knows what `$LIB` is."""


def disk_text(directory: Path, stores: str, *, more: str = "", sections: str = "") -> str:
    """Return a configuration with a disk cache.

    Args:
        directory: Its subdirectory `disk` is the cache's; it is made if it does not exist.
        stores: The sections of the stores.
        more: More lines of `[cache]`.
        sections: More sections.
    """
    (directory / "disk").mkdir(exist_ok=True)
    cache = f'[cache]\ndisk = "64MiB"\ndisk_path = "{directory}/disk"\n{more}\n'
    return config_text({}, f"{stores}\n{cache}\n{limits_section()}\n{sections}")


@asynccontextmanager
async def disk_server(directory: Path, stores: str, more: str = "") -> AsyncIterator[Server]:
    """Serve *stores* with a disk cache, in this process; the arguments are those of `disk_text`.

    In the end, what was read is on the disk.
    """
    async with serving(disk_text(directory, stores, more=more), directory, {}) as server:
        yield server
        disk = server.app[METRICS].disk
        assert disk is not None
        await disk.flush()


@asynccontextmanager
async def later(
    directory: Path, stores: str, minutes: int, *, workers: int = 1, sections: str = ""
) -> AsyncIterator["Process"]:
    """Serve *stores* with a disk cache, in processes whose clock is *minutes* ahead."""
    need("faketime", "faketime")
    clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{minutes}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    text = disk_text(directory, stores, sections=sections)
    async with process_of(text, directory, workers, environ=clock if minutes else None) as process:
        yield process


@asynccontextmanager
async def process_of(
    text: str,
    directory: Path,
    workers: int = 1,
    *,
    environ: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> AsyncIterator["Process"]:
    """Serve a configuration in a process of its own.

    Args:
        text: The configuration, without `[server]`.
        directory: Where it is written.
        workers: How many.
        environ: What is added to the environment; None: nothing.
        prefix: A command that runs the rest of its arguments.
    """
    text += f'[server]\nhttpAddress = "localhost:0"\nshutdownDelay = 0\nworkers = {workers}\n'
    async with running(text, directory, environ, prefix) as command:
        for _ in range(workers):
            url = (await command.read_until("web server listening at (.*)"))[1]
        async with aiohttp.ClientSession() as session:
            yield Process(command, url, session)


class Process:
    """A server in a process of its own."""

    def __init__(self, command: Command, url: str, session: aiohttp.ClientSession) -> None:
        self.command = command
        self.url = url
        self.node = f"/api/node/{UUID}"
        self.session = session

    async def ask(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of an answer, on a connection of its own."""
        async with self.session.get(self.url + path, headers={"Connection": "close"}) as response:
            return response.status, await response.read()


async def answers_of(server: Server, paths: Iterable[str]) -> Mapping[str, bytes]:
    """Return the answers to requests for *paths* below the node, one after the other."""
    return {path: await server.get(f"{server.node}/{path}") for path in paths}


def is_document(key: str) -> bool:
    """Whether an object describes others: it is always read from the bucket."""
    return posixpath.basename(key) in METADATA_FILES


def data_reads(bucket: FaultyBucket) -> list[str]:
    """Return the keys of the objects that were read, documents left out; the absent ones were not read."""
    keys = [one.key for one in bucket.asked if (bucket.directory / one.key).is_file()]
    return [key for key in keys if not is_document(key)]


def replace_volume(directory: Path, spec: VolumeSpec) -> Truth:
    """Write other voxels in place of a volume; its `info` stays the same."""
    info = (directory / "info").read_bytes()
    shutil.rmtree(directory)
    truth = write_truth(directory, replace(spec, seed=spec.seed + 100))
    assert (directory / "info").read_bytes() == info
    return truth
