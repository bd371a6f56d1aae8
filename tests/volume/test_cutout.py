"""Cut-outs take bounded memory, read each chunk once and many at a time, and stop when the client leaves."""

import asyncio
import contextlib
import itertools
import json
import resource
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from tests.servers import serve, serve_directory
from tests.serving import config_text, serving
from tests.volumes import XYZ, VolumeSpec, write_volume


def claim_size(info: Path, size: XYZ) -> None:
    """Enlarge a volume by chunks that are not stored; its own chunks must not be clipped."""
    document = json.loads(info.read_text())
    document["scales"][0]["size"] = size
    info.write_text(json.dumps(document))


def resident_nbytes() -> int:
    """Return the resident memory of this process, which is server and client."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.parametrize(("cache", "bound"), [("512MiB", 256 * 2**20), ("1MiB", 512 * 2**20)])
async def test_a_cut_out_of_512_mib_is_held_in_parts(cache: str, bound: int, tmp_path: Path) -> None:
    [truth] = write_volume(tmp_path / "volume", VolumeSpec(size=(64, 64, 64)))
    claim_size(tmp_path / "volume/info", (1024, 1024, 512))
    repeat_chunk(tmp_path / "volume/s0", (1024, 1024, 512))
    row = np.tile(truth[..., 0].transpose(2, 1, 0), (1, 16, 16))
    text = config_text({"em": tmp_path / "volume"}, f'[cache]\nmemory = "{cache}"\n')
    async with serving(text, tmp_path) as server:
        before = resident_nbytes()
        most = 0
        url = f"{server.url}{server.node}/em/raw/0_1_2/1024_1024_512/0_0_0"
        async with server.session.get(url) as answer:
            for z in range(512):
                plane = np.frombuffer(await answer.content.readexactly(2**20), np.uint8)
                assert (plane.reshape(1024, 1024) == row[z % 64]).all(), z
                most = max(most, resident_nbytes())
            assert await answer.read() == b""
        assert most - before < bound, (most - before) / 2**20


def repeat_chunk(directory: Path, size: XYZ) -> None:
    """Store the first chunk (64 x 64 x 64) everywhere."""
    for start in itertools.product(*(range(0, n, 64) for n in size)):
        if any(start):
            name = "_".join(f"{n}-{n + 64}" for n in start)
            (directory / name).hardlink_to(directory / "0-64_0-64_0-64")


@pytest.mark.parametrize("corner", [(0, 0, 0), (64, 0, 0), (-32, 16, 40), (100, 100, 100)])
async def test_what_no_chunk_holds_is_zero_also_in_memory_used_before(corner: XYZ, tmp_path: Path) -> None:
    [truth] = write_volume(tmp_path / "volume", VolumeSpec(size=(192, 192, 128)))
    for name in ("0-64_0-64_0-64", "64-128_64-128_0-64", "128-192_128-192_64-128"):
        (tmp_path / "volume/s0" / name).unlink()
        truth[tuple(slice(*map(int, edge.split("-"))) for edge in name.split("_"))] = 0
    wanted = np.zeros((320, 320, 320), np.uint8)  # [z, y, x], from -64 on
    wanted[64:192, 64:256, 64:256] = truth[..., 0].transpose(2, 1, 0)
    x, y, z = (start + 64 for start in corner)
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        for _ in range(3):
            np.full(2**20, 255, np.uint8)  # freed at once; what is assembled next may lie here
            offset = "_".join(map(str, corner))
            async with server.session.get(
                f"{server.url}{server.node}/em/raw/0_1_2/128_128_64/{offset}"
            ) as answer:
                box = np.frombuffer(await answer.read(), np.uint8).reshape(64, 128, 128)
            assert (box == wanted[z : z + 64, y : y + 128, x : x + 128]).all()


async def test_a_cut_out_that_fails_midway_is_cut_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(size=(128, 128, 128)))
    claim_size(tmp_path / "volume/info", (1024, 1024, 256))
    (tmp_path / "volume/s0/0-64_0-64_192-256").write_bytes(b"damaged")
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        url = f"{server.url}{server.node}/em/raw/0_1_2/1024_1024_256/0_0_0"
        async with server.session.get(url) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
    assert "cut off" in caplog.text
    assert "s0/0-64_0-64_192-256" in caplog.text


async def test_no_task_remains_after_a_client_has_left(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(size=(128, 128, 128)))
    claim_size(tmp_path / "volume/info", (1024, 1024, 1024))
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        before = set(asyncio.all_tasks())
        answer = await server.session.get(f"{server.url}{server.node}/em/raw/0_1_2/1024_1024_1024/0_0_0")
        await answer.content.readexactly(1000)
        answer.close()
        async with asyncio.timeout(10):
            while asyncio.all_tasks() - before:  # noqa: ASYNC110 - there is no event for the end of a task
                await asyncio.sleep(0.01)


class Holding:
    """Answers from a directory, but holds all requests for chunks until *count* are in flight at once.

    `most` says how many were. If *count* do not arrive within `PATIENCE_S`, nothing is held any more.
    """

    PATIENCE_S = 5
    SURPLUS_S = 0.25
    """How long the requests are held after the last expected one, so that a surplus is counted."""

    def __init__(self, directory: Path, count: int) -> None:
        self._answer = serve_directory(directory)
        self._count = count
        self._released = asyncio.Event()
        self._in_flight = 0
        self.most = 0
        self.chunks: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/info"):
            self.chunks.append(request.path)
            await self._hold()
        return await self._answer(request)

    async def _hold(self) -> None:
        self._in_flight += 1
        self.most = max(self.most, self._in_flight)
        if self._in_flight == self._count:
            asyncio.get_running_loop().call_later(self.SURPLUS_S, self._released.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.PATIENCE_S):
                await self._released.wait()
        self._released.set()
        self._in_flight -= 1


async def test_chunks_of_a_box_are_read_once_and_64_at_a_time(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(128, 128, 64), chunk_size=(16, 16, 32))
    [truth] = write_volume(tmp_path / "volume", spec)
    holding = Holding(tmp_path / "volume", 64)
    limits = "[limits]\nupstream_concurrency = 1000\n"  # so that only the look-ahead limits it
    async with serve(holding) as store, serving(config_text({"em": store.url}, limits), tmp_path) as server:
        path = f"{server.node}/em/raw/0_1_2/128_128_64/0_0_0"
        for _ in range(2):
            assert await server.get(path) == truth.tobytes("F")
    assert len(holding.chunks) == len(set(holding.chunks)) == 128
    assert holding.most == 64


async def test_a_cut_out_larger_than_half_the_cache_leaves_nothing_in_it(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(128, 128, 32), chunk_size=(32, 32, 32))
    write_volume(tmp_path / "volume", spec)
    small, large = "raw/vol/40_40_32/0_0_0", "raw/xy/128_128/0_0_5"
    async with (
        serve(serve_directory(tmp_path / "volume")) as store,
        serving(config_text({"em": store.url}, '[cache]\nmemory = "512KiB"\n'), tmp_path) as server,
    ):
        reads = []
        for path in (small, large, small, large, large):
            before = len(store.asked)
            await server.get(f"{server.node}/em/{path}")
            reads.append(len(store.asked) - before)
    assert reads == [4, 12, 0, 12, 12]
