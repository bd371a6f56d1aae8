"""A bucket with a volume far larger than a disk: its chunks are made when they are asked for, and counted."""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

import numpy as np
import simplejpeg
from aiohttp import web

from tests.servers import serve

XYZ = tuple[int, int, int]

SIDE: Final = 2**17
"""Side of the volume in voxels: 2^15 regions of 4096 voxels at scale 0."""
SCALES: Final = 2
_CHUNK = re.compile(r"em/s(\d)/(\d+)-\d+_(\d+)-\d+_(\d+)-\d+")


@cache
def _jpeg(kind: int) -> bytes:
    noise = np.random.default_rng(kind).integers(0, 256, (64, 8, 8), np.uint8)
    image = np.kron(noise.reshape(512, 8), np.ones((8, 8), np.uint8))
    return bytes(simplejpeg.encode_jpeg(image.reshape(4096, 64, 1), 70, "GRAY"))


def chunk(scale: int, block: XYZ) -> bytes:
    """Return the chunk that is stored for a block. One of 64 images, so neighbours differ."""
    return _jpeg(hashlib.blake2b(repr((scale, block)).encode()).digest()[0] % 64)


class WideBucket:
    """The volume `em`, and how often each of its chunks was read."""

    def __init__(self) -> None:
        self.url = ""
        self.reads: Counter[str] = Counter()
        """Reads by object key; the metadata is not counted."""
        self.delay_s = 0.0
        """How long each read of a chunk takes."""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a GET of an object."""
        key = request.match_info["path"]
        if key == "em/info":
            return web.Response(body=_info(), headers={"ETag": '"info"'})
        match = _CHUNK.fullmatch(key)
        if match is None:
            return web.Response(status=404)
        self.reads[key] += 1
        await asyncio.sleep(self.delay_s)
        scale, x, y, z = (int(number) for number in match.groups())
        body = chunk(scale, (x // 64, y // 64, z // 64))
        return web.Response(body=body, headers={"ETag": f'"{hashlib.blake2b(body).hexdigest()[:16]}"'})


def _info() -> bytes:
    scales = [
        {
            "key": f"s{level}",
            "size": [SIDE >> level] * 3,
            "resolution": [8 << level] * 3,
            "voxel_offset": [0, 0, 0],
            "chunk_sizes": [[64, 64, 64]],
            "encoding": "jpeg",
        }
        for level in range(SCALES)
    ]
    fields = {"type": "image", "data_type": "uint8", "num_channels": 1, "scales": scales}
    return json.dumps({"@type": "neuroglancer_multiscale_volume", **fields}).encode()


@asynccontextmanager
async def wide_bucket() -> AsyncIterator[WideBucket]:
    """Serve the bucket on a free port."""
    bucket = WideBucket()
    async with serve(bucket.answer) as server:
        bucket.url = server.url
        yield bucket
