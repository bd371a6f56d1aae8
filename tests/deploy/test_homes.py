"""deploy/haproxy.cfg sends everything that lies in one region to one server."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.balancer import RECIPE, Balancer, balancing
from tests.programs import need
from tests.servers import serve
from tests.waiting import soon

NAMES = ("one", "two", "three")
NODE = "/api/node/28841c8277e044a7b187dda03e18da13"
IN_ONE_REGION = {
    "em.0/1/0/2": [
        "em/subvolblocks/64_64_64/4096_64_8192?app=Neuroglancer",
        "em/subvolblocks/512_512_512/7680_0_8200",
        "em/raw/0_1_2/300_300_300/5000_4095_12287?throttle=true",
        "em/raw/0_1_2/64_64_64/5000_70_9000/jpeg?app=Neuroglancer",
        "em/raw/xy/1920_1080/4100_100_8200/png",
        "em/isotropic/xz/100_100/4100_100_8200",
        "em/specificblocks?blocks=64,1,128,65,1,128,63,1,128&u=katz&app=lowtis",
        "em/specificblocks?compression=uncompressed&blocks=127%2C63%2C191%2C128%2C63%2C191",
        "em/specificblocks?blocks=64,1,128&scale=0",
        "em/blocks/64_1_128/10",
        "em/tile/xy/0/8_7_8192",
        "em/tile/XZ/0/15_4095_16/jpg",
        "em/tile/yz/0/4096_0_23?noblanks=true",
    ],
    "seg.2/0/0/1": [
        "seg/specificblocks?blocks=1,2,64&scale=2",
        "seg/blocks/128_128_128/64_128_4096?scale=2",
        "seg/raw/0_1_2/8_8_8/1_2_8191?scale=2&compression=lz4",
        "seg/pseudocolor/xy/8_8/1_2_8191?scale=2",
        "seg/label/4_5_4096?scale=2",
        "seg/sparsevol-by-point/4_5_4096?scale=2",
    ],
    "synapses.0/1/1/1": [
        "synapses/elements/100_100_100/4096_4096_4096",
        "synapses/blocks/64_64_64/4096_4096_4096",
    ],
    "em.0/0/0/0": ["em/subvolblocks/64_64_64/-64_0_0", "em/specificblocks?blocks=-1,0,0,0,0,0"],
    "seg/77": ["seg/sparsevol/77?minz=5", "seg/sparsevol-coarse/77", "seg/size/77", "seg/index/77"],
    "seg_meshes/77": ["seg_meshes/key/77.ngmesh", "seg_meshes/key/77_2.ngmesh", "seg_meshes/key/77.drc"],
    "seg_skeletons/77": ["seg_skeletons/key/77_swc"],
    "synapses/77": ["synapses/label/77?relationships=true"],
    "em/info": ["em/info?u=katz&app=NeuTu"],
}
"""By their home: paths below the version."""


@dataclass
class Stubs:
    """HAProxy and three servers that answer everything."""

    front: Balancer
    session: aiohttp.ClientSession
    seen: Counter[str]
    """Requests by server."""
    answers: dict[str, Callable[[], Awaitable[web.Response]]]
    """By server: what it answers; 200 if it is not named."""

    async def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str, str]:
        """Return status, home and server of an answer."""
        url = URL(f"{self.front.url}{path}", encoded=True)
        async with self.session.request(method, url, data=body) as answer:
            return answer.status, answer.headers.get("X-Home", ""), answer.headers["X-Server"]

    def have_seen(self, count: int) -> bool:
        """Return whether the servers have got *count* requests."""
        return self.seen.total() == count

    async def region(self, number: int) -> str:
        """Return the server of a region."""
        x, y = 4096 * (number % 20), 4096 * (number // 20)
        return (await self.ask(f"{NODE}/em/subvolblocks/64_64_64/{x}_{y}_0"))[2]


@asynccontextmanager
async def stubs(directory: Path, recipe: str) -> AsyncIterator[Stubs]:
    """Run HAProxy in front of three servers that answer everything."""
    need("haproxy", "haproxy")
    seen: Counter[str] = Counter()
    answers: dict[str, Callable[[], Awaitable[web.Response]]] = {}

    def handler(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            await request.read()
            if request.path == "/readyz":
                return web.Response()
            seen[name] += 1
            return await answers[name]() if name in answers else web.Response()

        return answer

    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serve(handler(name))) for name in NAMES]
        backs = {name: URL(server.url).authority for name, server in zip(NAMES, servers, strict=True)}
        front = await stack.enter_async_context(balancing(directory, backs, recipe))
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Stubs(front, session, seen, answers)


async def test_boxes_blocks_and_lists_in_a_region_have_one_home(tmp_path: Path) -> None:
    async with stubs(tmp_path, RECIPE.read_text()) as site:
        for home, paths in IN_ONE_REGION.items():
            forms = [f"{NODE}/{path}" for path in paths]
            forms += [f"/dvid/api/node/:master/{path}" for path in paths]
            answers = [await site.ask(path) for path in forms]
            assert [(status, where) for status, where, _ in answers] == [(200, home)] * len(forms), forms
            assert len({server for _, _, server in answers}) == 1


async def test_points_in_a_body_go_where_the_first_one_lives(tmp_path: Path) -> None:
    points = b" [\n[4096, -5,\n 9000],\n[1, 2, 3]" + b",[1,2,3]" * 5000 + b"]"
    async with stubs(tmp_path, RECIPE.read_text()) as site:
        for method in ("GET", "POST"):
            assert (await site.ask(f"{NODE}/seg/labels", method, points))[:2] == (200, "seg.0/1/0/2")
            assert (await site.ask(f"{NODE}/seg/labels?scale=1", method, points))[1] == "seg.1/1/0/2"
        assert (await site.ask(f"{NODE}/seg/labels", "POST", b"[]"))[:2] == (200, "seg/labels")
        assert (await site.ask(f"{NODE}/seg/labels"))[:2] == (200, "seg/labels")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/repos/info",
        "/api/help/labelmap",
        f"{NODE}/em/specificblocks",
        f"{NODE}/em/specificblocks?blocks=",
        f"{NODE}/em/specificblocks?blocks=a,b,c",
        f"{NODE}/em/specificblocks?blocks=1,2",
        f"{NODE}/em/specificblocks?blocks=99999999999999999999,1,1",
        f"{NODE}/em/raw/0_1_2/64_64_64/99999999999999999999_0_0",
        f"{NODE}/em/subvolblocks/64_64_64/0_0",
        f"{NODE}/em/arb/0.5_0_0/100.5_0_0/0_100.5_1/1",
        f"{NODE}/em/rawkey?x=1&y=2&z=3",
        f"{NODE}/em/raw/0_1_2/%36%34_64_64/0_0_0",
    ],
)
async def test_any_other_path_reaches_always_the_same_server(path: str, tmp_path: Path) -> None:
    async with stubs(tmp_path, RECIPE.read_text()) as site:
        answers = [await site.ask(path) for _ in range(3)]
        assert {status for status, _, _ in answers} == {200}
        assert len({server for _, _, server in answers}) == 1
        assert (await site.ask(path, "HEAD"))[2] == answers[0][2]


async def test_a_server_that_leaves_moves_its_own_regions_only(tmp_path: Path) -> None:
    async with stubs(tmp_path, RECIPE.read_text()) as site:
        before = [await site.region(number) for number in range(600)]
        shares = Counter(before)
        assert all(abs(share / 600 - 1 / 3) < 0.05 for share in shares.values()), shares
        await site.front.command("set server dvidpc/two state maint")
        after = [await site.region(number) for number in range(600)]
        assert "dvidpc/two" not in after
        moved = [old for old, new in zip(before, after, strict=True) if old != new]
        assert set(moved) == {"dvidpc/two"}


async def test_only_what_another_server_may_answer_is_sent_to_another(tmp_path: Path) -> None:
    async with stubs(tmp_path, RECIPE.read_text()) as site:
        home = (await site.region(0)).removeprefix("dvidpc/")
        for status, kept in ((503, False), (500, True), (502, True), (504, True), (404, True), (429, True)):
            site.seen.clear()

            async def fail(status: int = status) -> web.Response:
                return web.Response(status=status)

            site.answers[home] = fail
            answer = await site.ask(f"{NODE}/em/subvolblocks/64_64_64/0_0_0")
            assert site.seen.total() == (1 if kept else 2)
            assert (answer[0], answer[2] == f"dvidpc/{home}") == ((status, True) if kept else (200, False))
        site.answers |= dict.fromkeys(NAMES, lambda: fail(503))
        assert (await site.ask(f"{NODE}/em/subvolblocks/64_64_64/0_0_0"))[0] == 503


async def test_a_region_that_is_hot_is_shared_only_while_many_requests_wait(tmp_path: Path) -> None:
    async with stubs(tmp_path, RECIPE.read_text().replace("ge 150", "ge 30")) as site:
        home = (await site.region(0)).removeprefix("dvidpc/")
        go = asyncio.Event()

        async def wait() -> web.Response:
            await go.wait()
            return web.Response()

        site.answers |= dict.fromkeys(NAMES, wait)
        for count, shared in ((30, False), (150, True)):
            site.seen.clear()
            go.clear()
            tasks = [asyncio.create_task(site.region(0)) for _ in range(count)]
            await soon(partial(site.have_seen, count), pause_s=0.01)
            assert (set(site.seen) == {home}) != shared, site.seen
            assert site.seen[home] <= 30 + (120 * 1.5 / 3 + 1 if shared else 0)
            go.set()
            await asyncio.gather(*tasks)
