"""The endpoints `label` and `labels`: the labels of single voxels."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.limits import check_block_count
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON
from dvidpc.dvid.url.coordinates import parse_voxel
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.labels_json import check_content_hash, encode_label, encode_labels, parse_points
from dvidpc.http.bodies import NOT_STORED, read_body
from dvidpc.volume.point_lookup import LabelLookup

MAX_BODY: Final = 16 * 2**20
"""Largest list of positions or labels in bytes; neuclease sends 10,000 positions, 250 kB, at a time."""

_SMALL_BODY: Final = 16 * 1024

T = TypeVar("T")


async def label(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `label/<x_y_z>`: `{"Label": 23}`; 0 outside the volume and where nothing is stored.

    (labelmap/handlers.go:23-52, 3400c2cb)
    """
    _, *parts = call_parts(request)
    if not parts:
        raise RequestError("DVID requires coord to follow 'label' command")
    point = parse_voxel(parts[0])
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=JSON)
    found = await _lookup_of(instance).label_at(point)
    return web.Response(body=encode_label(found), content_type=JSON)


async def labels(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `labels[?hash=]`, whose body is a list of positions: a list of their labels.

    (labelmap/handlers.go:54-110, 3400c2cb)
    """
    body = await read_body(request, MAX_BODY)
    check_content_hash(body, request.query.get("hash", ""))
    points = await off_loop(len(body), partial(parse_points, body))
    lookup = _lookup_of(instance)
    chunks = await off_loop(len(body), partial(lookup.count_chunks, points))
    check_block_count(chunks, request.app[SERVICES].limits.max_blocks)
    TALLY.get().blocks = chunks
    found = await lookup.labels_at(points)
    answer = await off_loop(len(body), partial(encode_labels, found))
    return web.Response(body=answer, content_type=JSON, headers=NOT_STORED)


async def off_loop(nbytes: int, step: Callable[[], T]) -> T:
    """Run *step*, which handles so many bytes of JSON, in a thread if it may take over a millisecond."""
    return step() if nbytes <= _SMALL_BODY else await asyncio.to_thread(step)


def _lookup_of(instance: Instance[ImageData]) -> LabelLookup:
    assert instance.data.lookup is not None
    return instance.data.lookup
