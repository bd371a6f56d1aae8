"""The limits for cold and decoding rows: loops that do only the necessary work.

Run as `limits.py WHAT ARGUMENT`, so that each limit has its own process and core. Prints a rate.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import numpy as np
import simplejpeg
import uvloop

_SECONDS = 3.0
_IN_FLIGHT = 32


async def _read_ranges(url: str, parts: list[tuple[str, int, int]]) -> float:
    """Ranged GETs a second, by a bare aiohttp client, of [key, start, stop] in turn."""
    done = 0
    end = time.perf_counter() + _SECONDS

    async def reader(first: int) -> None:
        nonlocal done
        at = first
        while time.perf_counter() < end:
            key, start, stop = parts[at % len(parts)]
            headers = {"Range": f"bytes={start}-{stop - 1}"}
            async with client.get(f"{url}/bucket/{key}", headers=headers) as response:
                if response.status != 206 or len(await response.read()) != stop - start:
                    raise RuntimeError(f"{response.status} for {key}")
            at += _IN_FLIGHT
            done += 1

    async with aiohttp.ClientSession() as client:
        started = time.perf_counter()
        await asyncio.gather(*map(reader, range(_IN_FLIGHT)))
        return done / (time.perf_counter() - started)


def _in_threads(step: Callable[[int], object]) -> float:
    """Return the steps per second on all cores."""
    cores = len(os.sched_getaffinity(0))
    started = time.perf_counter()

    def work(number: int) -> int:
        count = 0
        while time.perf_counter() - started < _SECONDS:
            step(number + count * cores)
            count += 1
        return count

    with ThreadPoolExecutor(cores) as pool:
        total = sum(pool.map(work, range(cores)))
    return total / (time.perf_counter() - started)


def _decode(chunks: list[bytes]) -> float:
    """Return the chunks decoded per second."""
    return _in_threads(lambda n: simplejpeg.decode_jpeg(chunks[n % len(chunks)], colorspace="GRAY"))


def _recode(chunks: list[bytes]) -> float:
    """Return the clipped chunks per second that are decoded and encoded as whole blocks."""

    def recode(number: int) -> None:
        voxels = simplejpeg.decode_jpeg(chunks[number % len(chunks)], colorspace="GRAY")
        block = np.zeros((4096, 64, 1), np.uint8)
        block.ravel()[: voxels.size] = voxels.ravel()
        simplejpeg.encode_jpeg(block, quality=80, colorspace="GRAY")

    return _in_threads(recode)


def _copy() -> float:
    """Return the boxes of 256^3 voxels per second that numpy assembles from 64 chunks of 64^3 on one core."""
    chunks = np.random.default_rng(0).integers(0, 255, (4, 4, 4, 64, 64, 64), np.uint8)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < _SECONDS:
        box = np.empty((256, 256, 256), np.uint8)
        for z, y, x in np.ndindex(4, 4, 4):
            box[z * 64 :, y * 64 :, x * 64 :][:64, :64, :64] = chunks[z, y, x]
        count += 1
    return count / (time.perf_counter() - started)


def _main(what: str, argument: str) -> float:
    if what == "copy":
        return _copy()
    given = json.loads(Path(argument).read_text())
    if what == "read":
        return uvloop.run(_read_ranges(given["url"], given["parts"]))
    chunks = [Path(path).read_bytes() for path in given["chunks"]]
    return _decode(chunks) if what == "decode" else _recode(chunks)


if __name__ == "__main__":
    sys.stdout.write(f"{_main(sys.argv[1], sys.argv[2])}\n")
