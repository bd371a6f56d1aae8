"""The endpoints about the sizes of labels and about the largest label, answered from the index's table.

(labelmap/handlers.go, 3400c2cb)
"""

from functools import partial
from typing import Final

import numpy as np
from aiohttp import hdrs, web
from numpy.typing import NDArray

from dvidpc.dvid.labelmap.label_requests import AS_VOLUME, Indexed, find_body, label_of, no_such_label
from dvidpc.dvid.labelmap.points import MAX_BODY, off_loop
from dvidpc.dvid.table import JSON
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.labels_json import check_content_hash, encode_labels, parse_ids
from dvidpc.http.bodies import NOT_STORED, read_body
from dvidpc.index.layout import BLOCK_SIZE

_UINT64: Final = 2**64
_NO_SIZE: Final = "DVID requires label to follow 'size' command"
_NO_SUPERVOXELS: Final = "DVID requires label to follow 'supervoxels' command"
_NO_LASTMOD: Final = "DVID requires label to follow 'lastmod' command"
_NO_VOLUME_SIZE: Final = "ERROR: DVID requires label ID to follow 'sparsevol-size' command"
_NEVER_CHANGED: Final = b'{"mutation id": 0, "last mod user": "", "last mod app": "", "last mod time": "" }'


async def size(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `size/<label>`: `{"voxels": 150676}`."""
    row = await find_body(request, indexed.reader, _NO_SIZE)
    return no_such_label() if row is None else _json(b'{"voxels": %d}' % row["voxels"][0])


async def sizes(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sizes[?hash=]`, whose body is a list of labels: their voxels, 0 for an unknown label."""
    labels = await labels_in_body(request)
    rows = await indexed.reader.find_all(labels)
    body = await off_loop(8 * len(labels), partial(encode_labels, rows["voxels"]))
    return web.Response(body=body, content_type=JSON, headers=NOT_STORED)


async def sparsevol_size(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sparsevol-size/<label>`: voxels, blocks, and the extent of the blocks in voxels."""
    label = label_of(request, _NO_VOLUME_SIZE, AS_VOLUME)
    if request.method == hdrs.METH_HEAD:
        raise RequestError(f"DVID does not support {request.method} on /sparsevol-size endpoint")
    row = await indexed.reader.find(label)
    if row is None:
        return no_such_label()
    first, last = row["min_block"][0] * BLOCK_SIZE, (row["max_block"][0] + 1) * BLOCK_SIZE - 1
    body = '{{"voxels": {}, "numblocks": {}, "minvoxel": [{}, {}, {}], "maxvoxel": [{}, {}, {}]}}'.format(
        row["voxels"][0], row["blocks"][0], *first, *last
    )
    return _json(body.encode())


async def supervoxels(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `supervoxels/<label>`: `[5]`; a label is its own only supervoxel."""
    row = await find_body(request, indexed.reader, _NO_SUPERVOXELS)
    return no_such_label() if row is None else _json(b"[%d]" % row["label"][0])


async def supervoxel_sizes(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `supervoxel-sizes/<label>`: the label and its voxels."""
    row = await find_body(request, indexed.reader, _NO_SUPERVOXELS)
    if row is None:
        return no_such_label()
    body = b'{\n  "supervoxels": [%d],\n  "sizes": [%d]\n}' % (row["label"][0], row["voxels"][0])
    return _json(body)


async def lastmod(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `lastmod/<label>`: no label was ever changed."""
    row = await find_body(request, indexed.reader, _NO_LASTMOD)
    return no_such_label() if row is None else _json(_NEVER_CHANGED)


async def maxlabel(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `maxlabel`; DVID refuses HEAD."""
    if request.method == hdrs.METH_HEAD:
        raise RequestError(f"Unknown action {quote(request.method)} requested: {request.path_qs}\n")
    info = indexed.reader.info
    if not info.labels:
        raise RequestError(f"No maximum label found for {indexed.instance.name} version 1\n")
    return _json(b'{"maxlabel": %d}' % info.max_label)


async def nextlabel(_request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `nextlabel`: the label after the largest; as in DVID 0 comes after 2^64 - 1."""
    return _json(b'{"nextlabel": %d}' % ((indexed.reader.info.max_label + 1) % _UINT64))


async def labels_in_body(request: web.Request) -> NDArray[np.uint64]:
    """Return the labels of a request, whose body is a list of them.

    Raises:
        RequestError: It is not, or its `hash` is not that of the body.
        TooLargeError: The body is too large.
    """
    body = await read_body(request, MAX_BODY)
    check_content_hash(body, request.query.get("hash", ""))
    return await off_loop(len(body), partial(parse_ids, body))


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=JSON)
