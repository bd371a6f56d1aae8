"""A bucket with injected faults: real files over a real socket, as plain HTTP or path-style S3.

Objects are the files below a directory. `http://127.0.0.1:<port>/<key>` and, as the S3 bucket "faulty",
`http://127.0.0.1:<port>/faulty/<key>` lead to the same. There is no authentication.
"""

import asyncio
import contextlib
import hashlib
import re
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

from tests.faulty.faults import Chance, Fault

BUCKET = "faulty"
_RANGE = re.compile(r"bytes=(\d*)-(\d+)")
"""Without a first number, the second counts bytes from the end."""
_GOOD = Fault()
_ENDLESS = 2**30


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the bucket received."""

    method: str
    key: str
    headers: Mapping[str, str]
    """Header names are in lower case."""


class FaultyBucket:
    """Serves *directory* with faults: scripted ones first, then rules, then random ones."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked: list[Asked] = []
        self.counts: Counter[str] = Counter()
        """Number of requests by key."""
        self.connections = 0
        """Connections accepted so far."""
        self.sent = 0
        """Body bytes written to sockets."""
        self.hurt = 0
        """Answers that a fault changed."""
        self.flips: Counter[str] = Counter()
        self.make_etag: Callable[[str], str] = lambda etag: etag
        """Makes the etag of an answer from that of the content."""
        self.matches: Callable[[str, str], bool] = lambda asked, etag: asked == etag
        """Decides whether an `If-Match` is met by an etag."""
        self.tells_time = True
        """Whether answers have a `Last-Modified`."""
        self.chance: Chance | None = None
        self.port = 0
        self._scripts: defaultdict[str, deque[Fault | None]] = defaultdict(deque)
        self._rules: list[tuple[str, Fault]] = []
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._answering: dict[asyncio.StreamReader, asyncio.Task[None]] = {}

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def awaited(self) -> int:
        """In-flight answers whose client is still connected."""
        return sum(not reader.at_eof() and reader.exception() is None for reader in self._answering)

    def script(self, pattern: str, *faults: Fault | None) -> None:
        """Apply *faults* to the next requests for keys that match *pattern*, one each; None is no fault."""
        self._scripts[pattern].extend(faults)

    def rule(self, pattern: str, fault: Fault) -> None:
        """Apply *fault* to every request for keys that match *pattern*, until `heal`."""
        self._rules.append((pattern, fault))

    def heal(self) -> None:
        """Remove all faults and cut hanging connections."""
        self._scripts.clear()
        self._rules.clear()
        self.chance = None
        for task in self._answering.values():
            task.cancel()

    def heal_rules(self) -> None:
        """Remove all rules; in-flight answers are not touched."""
        self._rules.clear()

    def flip_etag(self, key: str) -> None:
        """Change the etag of *key* but not its bytes."""
        self.flips[key] += 1

    async def start(self, port: int = 0) -> None:
        """Listen on a free port, or on the previous one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut open connections."""
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a client that leaves, or `stop`
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection may be used again."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        key = unquote(target.partition("?")[0]).lstrip("/").removeprefix(f"{BUCKET}/")
        self.asked.append(Asked(method, key, headers))
        self.counts[key] += 1
        fault = self._next_fault(key)
        if fault is not _GOOD:
            self.hurt += 1
        task = asyncio.current_task()
        assert task is not None
        self._answering[reader] = task
        try:
            return await self._answer(writer, method, key, headers, fault)
        finally:
            del self._answering[reader]

    def _next_fault(self, key: str) -> Fault:
        for pattern, faults in self._scripts.items():
            if faults and fnmatch(key, pattern):
                return faults.popleft() or _GOOD
        for pattern, fault in self._rules:
            if fnmatch(key, pattern):
                return fault
        return (self.chance.draw() if self.chance else None) or _GOOD

    async def _answer(
        self,
        writer: asyncio.StreamWriter,
        method: str,
        key: str,
        asked: Mapping[str, str],
        fault: Fault,
    ) -> bool:
        await asyncio.sleep(fault.delay_s)
        if fault.hang:
            await asyncio.Event().wait()
        if fault.close_first:
            return False
        if fault.garbage is not None:
            writer.write(fault.garbage)
            await writer.drain()
            return False
        status, headers, body = self._good_answer(key, asked, fault)
        if fault.status is not None:
            status, headers, body = fault.status, {}, b"a fault, as asked for"
        headers["Content-Length"] = str(_ENDLESS if fault.endless else len(body))
        headers |= dict(fault.headers)
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await writer.drain()
        return method == "HEAD" or await self._send(writer, body, fault)

    async def _send(self, writer: asyncio.StreamWriter, body: bytes, fault: Fault) -> bool:
        ends = [end for end in (fault.reset_at, fault.truncate_at, fault.pause_at) if end is not None]
        body = body[: min(ends)] if ends else body
        if fault.trickle_s:
            for at in range(min(len(body), 50)):
                writer.write(body[at : at + 1])
                await writer.drain()
                await asyncio.sleep(fault.trickle_s)
            body = body[50:]
        writer.write(body)
        self.sent += len(body)
        await writer.drain()
        if fault.endless:
            while self.sent < _ENDLESS:
                writer.write(bytes(65536))
                self.sent += 65536
                await writer.drain()
        if fault.pause_at is not None:
            await asyncio.Event().wait()
        if fault.reset_at is not None:
            writer.transport.abort()
        return not ends

    def _good_answer(
        self, key: str, asked: Mapping[str, str], fault: Fault
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            data = (self.directory / key).read_bytes()
            modified = (self.directory / key).stat().st_mtime
        except OSError:
            return 404, {}, b""
        etag = self.make_etag(f'"{hashlib.sha256(data).hexdigest()[:16]}{"f" * self.flips[key]}"')
        headers = {"ETag": etag, "Date": formatdate(usegmt=True)}
        if self.tells_time:
            headers["Last-Modified"] = formatdate(modified, usegmt=True)
        if "if-match" in asked and not self.matches(asked["if-match"], etag):
            return 412, headers, b""
        match = _RANGE.fullmatch(asked.get("range", ""))
        if match is None or fault.whole:
            return 200, headers, data
        start, stop = int(match[1] or max(0, len(data) - int(match[2]))), int(match[2]) + 1
        stop = stop if match[1] else len(data)
        start, stop = start + fault.shift, stop + fault.shift
        if start >= len(data):
            return 416, headers | {"Content-Range": f"bytes */{len(data)}"}, b""
        part = data[start:stop]
        part = part[: max(1, len(part) - fault.short_by)]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
        return 206, headers, part


@asynccontextmanager
async def faulty_bucket(directory: Path) -> AsyncIterator[FaultyBucket]:
    """Serve *directory* on a free port."""
    bucket = FaultyBucket(directory)
    await bucket.start()
    try:
        yield bucket
    finally:
        with contextlib.suppress(ConnectionError):
            await bucket.stop()
