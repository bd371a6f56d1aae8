"""B7: requests with random damage, over raw sockets, for minutes: never a 500, a traceback, or a dead server.

Each connection sends one or a few requests, damaged at random but by a seed: bytes flipped, dropped,
duplicated and cut, numbers made huge, headers repeated. A good request follows now and then, and has to be
answered.
"""

import asyncio
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.load.place import METRICS, NODE, SERVER, Place, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec, write_volume

MINUTES = float(os.environ.get("MINUTES", "10"))
SEED = 20261122
CLIENTS = 8
PATIENCE_S = 0.3
"""How long to wait for an answer: many damaged requests look like the start of an endless one."""
TARGETS = [
    f"{NODE}/specificblocks?blocks=0,0,0,1,1,1&compression=jpeg",
    f"{NODE}/subvolblocks/64_64_64/0_0_0?compression=uncompressed&throttle=on",
    f"{NODE}/blocks/0_0_0/2",
    f"{NODE}/raw/0_1_2/64_64_64/10_10_10?throttle=on",
    f"{NODE}/raw/0_1/70_70/3_4_5/png",
    f"{NODE}/isotropic/0_2/70_70/3_4_5/jpg:80",
    f"{NODE}/arb/0_0_0/50_0_0/0_50_0/8/png",
    f"{NODE}/info",
    f"{NODE}/metadata",
    f"{NODE}/help",
    f"{NODE}/rawkey?x=1&y=2&z=3",
    f"/api/repo/{UUID[:6]}/info",
    f"/api/node/{UUID}:master~0/em/info",
    "/api/repos/info",
    "/api/server/info",
    "/api/server/config",
    "/healthz",
    "/readyz",
    "/",
]
HEADERS = [
    "Host: localhost",
    "Connection: keep-alive",
    "Connection: close",
    "Accept-Encoding: gzip, deflate, br",
    "Origin: http://example.org",
    "Authorization: Bearer a.b.c",
    "Range: bytes=0-10",
    'If-None-Match: "abc", W/"x"',
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Content-Type: application/json; charset=utf-8",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Cookie: a=b; c=d",
    "X-Forwarded-For: 127.0.0.1, ::1",
    "X-Request-Id: 17",
    "Access-Control-Request-Method: GET",
]
METHODS = ["GET"] * 8 + ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"]
PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\x00", b"%00", b"%2f..%2f", b"\xff\xfe", b"%ff", b"_", b",", b"?", b"#"),
    *(b"&", b"=", b"-1", b"2147483648", b"9" * 30, b"1e9", b"nan", b" ", b"\t", b"..", b"//", b":", b"~"),
    *(b"0\r\n\r\n", b"ffffffff\r\n", b"HTTP/1.1", b"HTTP/2.0", b"\x16\x03\x01", "\u0663".encode(), b"%"),
]


@dataclass
class Findings:
    """The response to one mutated request."""

    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    bad: list[bytes] = field(default_factory=list)
    """Requests that got a status of 500 or above."""
    good_failed: int = 0
    good: int = 0


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        write_volume(directory / "em", VolumeSpec(encoding="jpeg"))
        text = config_text({"em": directory / "em"}, SERVER + METRICS + "[limits]\nheader_timeout = 2\n")
        async with place(text, directory, "nice", "-n", "19") as server:
            findings = Findings()
            before = server.resident
            end = time.perf_counter() + 60 * MINUTES
            await asyncio.gather(*(_client(number, server, findings, end) for number in range(CLIENTS)))
            await asyncio.sleep(3)
            metrics = await server.metrics()
            for request in findings.bad[:5]:
                Path(f"mutation-{hash(request):x}.bin").write_bytes(request)
            return {
                "minutes": MINUTES,
                "seed": SEED,
                "requests sent": findings.sent,
                "answers": dict(findings.answers.most_common()),
                "500 and above": len(findings.bad),
                "good ones among them, and how many failed": [findings.good, findings.good_failed],
                "still alive": server.process.is_running() and await _is_well(server),
                "series of /metrics": len(metrics),
                "in flight at the end": metrics["dvidpc_requests_in_flight"],
                "open files": server.process.num_fds(),
                "MiB resident, before and after": [round(before, 1), round(server.resident, 1)],
                "tracebacks in the log": server.tracebacks,
                "the first": server.log.read_text().partition("Traceback")[2][:3000].splitlines(),
            }


async def _client(number: int, server: Place, findings: Findings, end: float) -> None:
    source = random.Random(SEED + number)
    while time.perf_counter() < end:
        requests = [_make(source) for _ in range(source.choice([1, 1, 1, 2, 3]))]
        data = _damage(b"".join(requests), source)
        findings.sent += len(requests)
        answer = await _exchange(server, data, source)
        for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer) or [b"none"]:
            findings.answers[status.decode()] += 1
            if status >= b"500" and status != b"none":
                findings.bad.append(data)
        if source.random() < 0.02:
            findings.good += 1
            findings.good_failed += not await _is_well(server)


def _make(source: random.Random) -> bytes:
    headers = source.sample(HEADERS, source.randrange(0, 6))
    lines = [f"{source.choice(METHODS)} {source.choice(TARGETS)} HTTP/1.1", HEADERS[0], *headers, "", ""]
    return "\r\n".join(lines).encode() + (b"5\r\nhello\r\n0\r\n\r\n" if source.random() < 0.1 else b"")


def _damage(data: bytes, source: random.Random) -> bytes:
    for _ in range(source.choice([0, 1, 1, 2, 3, 8])):
        at, to = sorted(source.randrange(len(data) + 1) for _ in range(2))
        match source.randrange(7):
            case 0 if data:
                at = min(at, len(data) - 1)
                data = data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[min(to, at + 20) :]
            case 2:
                data = data[:at] + source.choice(PIECES) + data[at:]
            case 3:
                data = data[:to] + data[at:to] * source.choice([1, 2, 50]) + data[to:]
            case 4:
                data = data[:at] + source.randbytes(source.randrange(1, 30)) + data[at:]
            case 5:
                numbers = list(re.finditer(rb"\d+", data))
                if numbers:
                    one = source.choice(numbers)
                    data = data[: one.start()] + source.choice(PIECES) + data[one.end() :]
            case _:
                data = data[:to]
    return data[: 2**20]


async def _exchange(server: Place, data: bytes, source: random.Random) -> bytes:
    """Send *data* in one or several pieces and return what comes back within PATIENCE_S."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    got = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            step = len(data) + 1 if source.random() < 0.7 else source.randrange(1, 200)
            for at in range(0, len(data), max(step, len(data) // 20)):
                writer.write(data[at : at + max(step, len(data) // 20)])
                await writer.drain()
            if source.random() < 0.3:
                writer.write_eof()
            while piece := await reader.read(2**18):
                got += piece
    except (TimeoutError, OSError):
        pass
    finally:
        writer.transport.abort()
    return got


async def _is_well(server: Place) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(server.url + TARGETS[0]) as answer:
            return answer.status == 200 and len(await answer.read()) > 32
    except aiohttp.ClientError:
        return False
