"""The HAProxy of the Kubernetes manifests finds the pods by their names in the DNS."""

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp import web

from tests.balancer import SOCKET, Balancer, running_haproxy
from tests.deploy.cluster import haproxy_config
from tests.programs import need
from tests.servers import free_port

ADDRESSES = [f"127.0.0.{number}" for number in range(1, 5)]


class Names(asyncio.DatagramProtocol):
    """A name server that knows the addresses of *hosts*, and no others."""

    def __init__(self, hosts: Mapping[str, str]) -> None:
        self._hosts = hosts
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop has a class of its own

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer one question, as section 4.1 of RFC 1035 says."""
        assert self._transport is not None
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        [kind] = struct.unpack_from("!H", data, at + 1)
        address = self._hosts.get(".".join(labels))
        record = b""
        if address is not None and kind == 1:
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + bytes(map(int, address.split(".")))
        code = 0x8183 if address is None else 0x8180
        head = data[:2] + struct.pack("!5H", code, 1, bool(record), 0, 0)
        self._transport.sendto(head + data[12 : at + 5] + record, addr)


@dataclass(frozen=True)
class Cluster:
    """The balancer of the manifests, in front of servers that say their addresses."""

    balancer: Balancer
    state: str
    """The URL of HAProxy's own health and metrics."""
    hosts: dict[str, str]
    """What the DNS knows."""
    session: aiohttp.ClientSession
    runners: dict[str, web.AppRunner]
    """The servers, by their addresses."""

    async def region(self, number: int) -> str:
        """Return the address of the server of a region."""
        path = f"/api/node/ab/em/subvolblocks/64_64_64/{4096 * number}_0_0"
        async with self.session.get(f"{self.balancer.url}{path}") as answer:
            assert answer.status == 200
            return await answer.text()

    async def status(self, path: str) -> int:
        """Return the status of one of HAProxy's own answers."""
        async with self.session.get(f"{self.state}{path}") as answer:
            return answer.status


def fqdn(number: int) -> str:
    return f"dvidpc-{number}.dvidpc-servers.lab.svc.cluster.local"


@asynccontextmanager
async def cluster(directory: Path, hosts: dict[str, str]) -> AsyncIterator[Cluster]:
    """Run HAProxy as in the manifests, servers at 127.0.0.1 to 4, and a DNS that knows *hosts*."""
    need("haproxy", "haproxy")
    port, front, state, dns = free_port(), free_port(), free_port(), free_port()
    text = haproxy_config().replace(":8000", f":{port}").replace(SOCKET, str(directory / "admin"))
    text = text.replace(":8080", f"127.0.0.1:{front}").replace(":8405", f"127.0.0.1:{state}")
    text = text.replace(" slowstart 30s", "")
    text = text.replace("init-addr libc,none", "init-addr none")  # this machine's own DNS may be slow
    text = text.replace("parse-resolv-conf", f"nameserver test 127.0.0.1:{dns}")
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(partial(Names, hosts), ("127.0.0.1", dns))
    runners: dict[str, web.AppRunner] = {}
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(names.close)
        for host in ADDRESSES:

            async def answer(_: web.Request, host: str = host) -> web.Response:
                return web.Response(text=host)

            app = web.Application()
            app.router.add_get("/{path:.*}", answer)
            runner = runners[host] = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, host, port).start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(running_haproxy(directory, text, NAMESPACE="lab"))
        balancer = Balancer(f"http://127.0.0.1:{front}", directory)
        yield Cluster(balancer, f"http://127.0.0.1:{state}", hosts, session, runners)


async def test_haproxy_finds_the_pods_by_their_names_and_keeps_their_regions(tmp_path: Path) -> None:
    hosts = {fqdn(number): ADDRESSES[number] for number in range(3)}
    async with cluster(tmp_path, hosts) as site:
        for number in range(3):
            await site.balancer.until(f"dvidpc-{number}", "UP")
        states = await site.balancer.states()
        assert Counter(state.split()[0] for state in states.values()) == {"UP": 3, "MAINT": 7}
        homes = [await site.region(number) for number in range(60)]
        assert set(homes) == set(ADDRESSES[:3])
        # dvidpc-1 ends, and starts on another machine
        await site.runners[ADDRESSES[1]].cleanup()
        site.hosts[fqdn(1)] = ADDRESSES[3]
        moved = {host: ADDRESSES[3] if host == ADDRESSES[1] else host for host in ADDRESSES}
        found: list[str] = []
        async with asyncio.timeout(20):
            while found != [moved[home] for home in homes]:
                await asyncio.sleep(0.2)
                found = [await site.region(number) for number in range(60)]


async def test_the_balancer_is_ready_while_there_are_pods(tmp_path: Path) -> None:
    async with cluster(tmp_path, {}) as site:
        status = 200
        async with asyncio.timeout(10):
            while status != 503:
                await asyncio.sleep(0.05)
                status = await site.status("/readyz")
        assert await site.status("/healthz") == 200
        assert await site.status("/metrics") == 200
        site.hosts[fqdn(7)] = ADDRESSES[0]
        await site.balancer.until("dvidpc-7", "UP")
        assert await site.status("/readyz") == 200
