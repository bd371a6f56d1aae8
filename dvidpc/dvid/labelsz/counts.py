"""The endpoints `count`, `counts`, `top` and `threshold`.

(labelsz/labelsz.go, 3400c2cb)
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.data.annotation import LabelszData
from dvidpc.data.instance import Instance
from dvidpc.data.label_ranks import Rank
from dvidpc.dvid.documents.framing import json_answer
from dvidpc.dvid.limits import check_block_count
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON
from dvidpc.dvid.url.numbers import SHOWN, parse_int32, parse_uint32, parse_uint64
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, quote
from dvidpc.formats.dvid.labels_json import parse_ids
from dvidpc.formats.precomputed.annotation_settings import Kind
from dvidpc.http.bodies import NOT_STORED, read_body
from dvidpc.tasks import gather_or_cancel

MAX_RETURNED: Final = 10_000
"""Labels that `threshold` returns unless the request says how many."""
MAX_BODY: Final = 2**20
"""Largest list of labels in bytes."""

_CONCURRENT_READS: Final = 8
"""Labels of one request that are read concurrently."""
_ALL: Final = "AllSyn"
_VOXELS: Final = "Voxels"
_KINDS: Final[Mapping[str, Kind | None]] = MappingProxyType(
    {**{str(kind): kind for kind in (Kind.POST_SYN, Kind.PRE_SYN, Kind.GAP, Kind.NOTE)}, _ALL: None}
)
"""DVID's index types; None: all synapses."""


async def count(request: web.Request, instance: Instance[LabelszData]) -> web.StreamResponse:
    """Answer `count/<label>/<type>`."""
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError("Must include label and element type after 'count' endpoint.")
    label = parse_uint64(parts[0])
    index_type = _parse_type(parts[1], instance)
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=JSON)
    return json_answer(await _count(instance, label, index_type))


async def counts(request: web.Request, instance: Instance[LabelszData]) -> web.StreamResponse:
    """Answer `counts/<type>`, whose body is a list of labels."""
    _, *parts = call_parts(request)
    if not parts:
        raise RequestError("Must include element type after 'counts' endpoint.")
    index_type = _parse_type(parts[0], instance)
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=JSON)
    labels = _parse_labels(await read_body(request, MAX_BODY))
    check_block_count(len(labels), request.app[SERVICES].limits.max_blocks)
    turns = asyncio.Semaphore(_CONCURRENT_READS)

    async def read(label: int) -> dict[str, JsonValue]:
        async with turns:
            return await _count(instance, label, index_type)

    answer = json_answer(await gather_or_cancel(map(read, labels)))
    answer.headers.update(NOT_STORED)
    return answer


async def top(request: web.Request, instance: Instance[LabelszData]) -> web.StreamResponse:
    """Answer `top/<n>/<type>`: the segments that have the most elements."""
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError("Must include N and element type after 'top' endpoint.")
    wanted = parse_uint32(parts[0])
    index_type = _parse_type(parts[1], instance)
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=JSON)
    if wanted == 0:
        return json_answer([])
    return _answer((await instance.data.ranks.get(_KINDS[index_type]))[:wanted], index_type)


async def threshold(request: web.Request, instance: Instance[LabelszData]) -> web.StreamResponse:
    """Answer `threshold/<n>/<type>?offset=&n=`: the segments that have at least so many elements."""
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError("Must include threshold # and element type after 'threshold' endpoint.")
    least = parse_uint32(parts[0])
    index_type = _parse_type(parts[1], instance)
    offset = _parse_integer(request.query.get("offset", ""), "offset")
    wanted = _parse_integer(request.query.get("n", ""), "num")
    if wanted < 0:
        raise RequestError(f"bad number of requested labels ({wanted})")
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=JSON)
    ranks = [rank for rank in await instance.data.ranks.get(_KINDS[index_type]) if rank.size >= least]
    first = max(offset, 0)
    return _answer(ranks[first : max(offset + (wanted or MAX_RETURNED), first)], index_type)


def _parse_type(text: str, instance: Instance[LabelszData]) -> str:
    """Return the index type that a path names.

    Raises:
        RequestError: DVID has none of that name, or it is the number of voxels, which is not known here.
    """
    if text == _VOXELS:
        kinds = ", ".join(_KINDS)
        raise RequestError(f"data {quote(instance.name)} counts elements, not voxels; use {kinds}")
    if text not in _KINDS:
        raise RequestError(f"unknown index type specified ({quote(text[:SHOWN])})")
    return text


def _parse_labels(body: bytes) -> list[int]:
    try:
        labels: list[int] = parse_ids(body, "counts").tolist()
    except RequestError as error:
        reason = str(error).removeprefix("Bad counts request JSON: ")
        raise RequestError(f"Bad JSON label array sent in 'counts' query: {reason}") from None
    return labels


def _parse_integer(text: str, name: str) -> int:
    try:
        return parse_int32(text or "0", "Atoi")
    except RequestError:
        raise RequestError(f"bad {name} specified in query string ({quote(text[:SHOWN])})") from None


async def _count(instance: Instance[LabelszData], label: int, index_type: str) -> dict[str, JsonValue]:
    """Return the count for one label; nothing ever lies in label 0."""
    found = await instance.data.source.count(label, _KINDS[index_type]) if label else 0
    return {"Label": label, index_type: found}


def _answer(ranks: Sequence[Rank], index_type: str) -> web.Response:
    return json_answer([{"Label": rank.label, index_type: rank.size} for rank in ranks])
