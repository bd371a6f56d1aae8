"""The limit for cached answers: aiohttp handlers that return fixed bytes. `bare_server.py PORT DIRECTORY`.

* `/single` sends the file `single` in one piece.
* `/many` streams the frames of the file `many`.
* `/box` streams 256^3 zeros.
* `/part` sends the byte ranges of files that `parts.json` lists, one per request; a thread reads each.

A file that is absent is empty.
"""

import asyncio
import itertools
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

_OCTETS = "application/octet-stream"
_PART = 2**20


def _frames(stream: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(stream):
        size = 16 + struct.unpack_from("<i", stream, position + 12)[0]
        yield stream[position : position + size]
        position += size


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _read_part(path: str, start: int, stop: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, stop - start, start)
    finally:
        os.close(descriptor)


def _make_app(directory: Path) -> web.Application:
    body = _read(directory / "single")
    frames = list(_frames(_read(directory / "many")))

    async def single(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=_OCTETS)

    async def many(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": _OCTETS})
        await response.prepare(request)
        for frame in frames:
            await response.write(frame)
        return response

    box = memoryview(bytes(256**3))

    async def cut_out(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": _OCTETS, "Content-Length": str(len(box))})
        await response.prepare(request)
        for start in range(0, len(box), _PART):
            await response.write(box[start : start + _PART])
        return response

    parts = itertools.cycle(json.loads(_read(directory / "parts.json") or "[]"))

    async def part(_request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(None, _read_part, *next(parts))
        return web.Response(body=data, content_type=_OCTETS)

    app = web.Application()
    app.router.add_get("/single", single)
    app.router.add_get("/many", many)
    app.router.add_get("/box", cut_out)
    app.router.add_get("/part", part)
    return app


if __name__ == "__main__":
    web.run_app(
        _make_app(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None
    )
