"""The endpoints `index`, `indices` and `indices-compressed`: `LabelIndex` messages as they are stored.

(labelmap/handlers.go and labelidx.go, 3400c2cb)
"""

import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

import imagecodecs
import numpy as np
from aiohttp import hdrs, web
from numpy.typing import NDArray

from dvidpc.dvid.labelmap.label_requests import AT_A_TIME, Indexed, label_of, no_such_label
from dvidpc.dvid.labelmap.points import off_loop
from dvidpc.dvid.labelmap.sizes import labels_in_body
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON, OCTETS
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.label_index import MAX_BLOCK_SIZE, encode_in_list
from dvidpc.http.bodies import NOT_STORED
from dvidpc.http.streaming import stream
from dvidpc.index.label_index_reader import LabelIndexReader
from dvidpc.index.size_table import Rows
from dvidpc.tasks import in_order

MOST_LABELS: Final = 50_000
"""Labels of one request, as in DVID."""

_BACKGROUND: Final = "there is no index for protected label 0"
_LZ4: Final = 0x80
"""DVID's mark of a value that is compressed by LZ4 and has no checksum.  (dvid/serialize.go, 3400c2cb)"""


async def index(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `index/<label>[?metadata-only=true][&mutid=]`: the message, or its metadata as JSON.

    There are no mutations, so there is no index before one.
    """
    mutation = request.query.get("mutid", "")
    if mutation:
        parse_uint64(mutation)
    label = label_of(request, "DVID requires label to follow 'index' command", _BACKGROUND)
    if request.method == hdrs.METH_HEAD:
        raise RequestError("only POST or GET action allowed for /index endpoint")
    row = await indexed.reader.find(label)
    if row is None or mutation:
        return no_such_label()
    if request.query.get("metadata-only") == "true":
        body = (
            b'{"num_voxels":%d,"last_mutid":0,"last_mod_time":"","last_mod_user":"","last_mod_app":""}'
            % row["voxels"][0]
        )
        return web.Response(body=body, content_type=JSON)
    check_size(int(row["blocks"][0]) * MAX_BLOCK_SIZE, request.app[SERVICES].limits.max_response)
    return web.Response(body=await indexed.reader.message_of(row), content_type=OCTETS)


async def indices(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `indices`, whose body is a list of labels: a `LabelIndices` message, streamed.

    The index of a label that the volume does not have is empty.
    """
    try:
        labels = await labels_in_body(request)
    except RequestError as error:
        reason = str(error).removeprefix("Bad mapping request JSON: ")
        raise RequestError(
            f"error getting protobuf label indices: expected JSON label list: {reason}"
        ) from None
    return await _answer(request, indexed, labels, encode_in_list)


async def indices_compressed(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `indices-compressed`, whose body is a list of labels.

    For each, the size of its compressed message as uint64, the label, and the message; the size is 0 for a
    label that the volume does not have.
    """
    try:
        labels = await labels_in_body(request)
    except RequestError as error:
        reason = str(error).removeprefix("Bad mapping request JSON: ")
        raise RequestError(f"expected JSON label list for GET /indices: {reason}") from None
    return await _answer(request, indexed, labels, _compress)


async def _answer(
    request: web.Request,
    indexed: Indexed,
    labels: NDArray[np.uint64],
    encode: Callable[[int, bytes | None], bytes],
) -> web.StreamResponse:
    if len(labels) > MOST_LABELS:
        raise RequestError(f"only 50,000 label indices can be returned at a time, {len(labels)} given")
    rows = await indexed.reader.find_all(labels)
    largest = int(rows["blocks"].max()) if len(rows) else 0
    check_size(largest * MAX_BLOCK_SIZE, request.app[SERVICES].limits.max_response)
    return await stream(request, _messages(indexed.reader, labels, rows, encode), more=NOT_STORED)


async def _messages(
    reader: LabelIndexReader,
    labels: NDArray[np.uint64],
    rows: Rows,
    encode: Callable[[int, bytes | None], bytes],
) -> AsyncGenerator[bytes, None]:
    work = (_message(reader, label, rows[at : at + 1], encode) for at, label in enumerate(labels.tolist()))
    async with aclosing(in_order(work, AT_A_TIME)) as messages:
        async for message in messages:
            yield message


async def _message(
    reader: LabelIndexReader, label: int, row: Rows, encode: Callable[[int, bytes | None], bytes]
) -> bytes:
    message = await reader.message_of(row) if row["blocks"][0] else None
    return await off_loop(len(message or b""), partial(encode, label, message))


def _compress(label: int, message: bytes | None) -> bytes:
    if message is None:
        return struct.pack("<2Q", 0, label)
    data = bytes(imagecodecs.lz4_encode(message, header=False))
    return struct.pack("<2QBI", 5 + len(data), label, _LZ4, len(message)) + data
