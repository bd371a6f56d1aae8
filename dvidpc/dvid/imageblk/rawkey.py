"""The endpoint `rawkey`: the location of a block in the bucket. DVID's answer is always empty."""

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.limits import check_block_count
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.numbers import parse_int32
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.formats.grid import block_box
from dvidpc.sources.base import StoredChunk
from dvidpc.types import BlockCoord


async def rawkey(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `rawkey?x=&y=&z=`: the object and byte range of each chunk of a block, as JSON."""
    if len(call_parts(request)) > 1:
        raise RequestError(
            "rawkey endpoint should be followed by query strings (x, y, and z) giving block coord"
        )
    block = BlockCoord(*(parse_int32(request.query.get(axis, ""), "Atoi") for axis in "xyz"))
    instance = at_scale(request, instance)
    box = block_box(block, instance.data.grid.block_size)
    max_chunks = request.app[SERVICES].limits.max_blocks
    check_block_count(instance.data.grid.grid.count_chunks_touching(box), max_chunks)
    found = await instance.data.grid.locate(box)
    chunks: list[JsonValue] = [_document(chunk) for chunk in found]
    body = encode({"Block": list(block), "Chunks": chunks})
    return web.Response(body=body, content_type="application/json")


def _document(chunk: StoredChunk) -> JsonValue:
    box = chunk.box
    last = [stop - 1 for stop in box.stop]
    return {
        "MinPoint": list(box.start),
        "MaxPoint": list(last),
        "Object": chunk.url,
        "Offset": 0 if chunk.where is None else chunk.where.start,
        "Size": None if chunk.where is None else chunk.where.size,
        "DataEncoding": chunk.data_encoding,
    }
