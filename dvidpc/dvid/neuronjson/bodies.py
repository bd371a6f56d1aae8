"""The endpoints that return ids or objects: `key`, `keys`, `keyrange`, `keyvalues`, `all`, `query`, ..."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.data.instance import Instance
from dvidpc.data.neuronjson import Annotations, NeuronjsonData
from dvidpc.dvid.documents.framing import json_answer
from dvidpc.dvid.keyvalue.many import bounds_of, encode_pairs, form_of, read_keys
from dvidpc.dvid.keyvalue.value import key_of, not_found
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.neuronjson.objects import Object, answer_list, parse_bound, parse_id, view_of
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON
from dvidpc.formats.dvid.annotation_queries import ids_of, make_matcher, parse_queries
from dvidpc.formats.dvid.key_requests import parse_json_ids
from dvidpc.formats.dvid.keyvalues import Pair
from dvidpc.formats.precomputed.segment_properties import BODY_ID
from dvidpc.http.bodies import read_body

MAX_QUERY: Final = 2**20
"""Largest query in bytes."""

_TEXT: Final = "text/plain"
"""DVID sniffs the type of an object, and takes it for text."""


async def key(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `key/<id>[?fields=]`."""
    text = key_of(request)
    segment_id = parse_id(text)
    annotations = await instance.data.source.load()
    found = annotations.find(segment_id)
    if found is None:
        return not_found(request, text)
    if request.method == hdrs.METH_HEAD:
        return web.Response()
    return web.Response(body=view_of(request).encode(found), content_type=_TEXT, charset="utf-8")


async def keys(_request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `keys`, in the order of the numbers."""
    annotations = await instance.data.source.load()
    return await instance.data.in_pool(lambda: json_answer(_keys_between(annotations, 0, 2**64 - 1)))


async def keyrange(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `keyrange/<id>/<id>`, both inclusive."""
    first, last = _parse_bounds(request)
    annotations = await instance.data.source.load()
    return await instance.data.in_pool(lambda: json_answer(_keys_between(annotations, first, last)))


async def keyrangevalues(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `keyrangevalues/<id>/<id>[?fields=]`, both inclusive."""
    first, last = _parse_bounds(request)
    annotations, view = await instance.data.source.load(), view_of(request)

    def pairs() -> Iterator[Pair]:
        for segment_id, found in annotations.objects(first, last):
            yield str(segment_id), view.encode(found)

    return await _answer_pairs(request, instance, pairs)


async def keyvalues(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `keyvalues[?fields=]`, whose body lists ids. JSON leaves out those without an object."""
    texts = [wanted.key for wanted in await read_keys(request, instance.name, parse_json_ids)]
    TALLY.get().blocks = len(texts)
    ids = [parse_id(text) for text in texts]
    annotations, view = await instance.data.source.load(), view_of(request)
    keeps_missing = form_of(request) is not JSON

    def pairs() -> Iterator[Pair]:
        for text, segment_id in zip(texts, ids, strict=True):
            found = annotations.find(segment_id)
            if found is not None or keeps_missing:
                yield text, None if found is None else view.encode(found)

    return await _answer_pairs(request, instance, pairs)


async def all_objects(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `all[?fields=]`: the objects that have one of the fields, in the order of their ids."""
    annotations, view = await instance.data.source.load(), view_of(request)

    def make() -> Iterator[bytes]:
        return (view.encode(found) for _, found in annotations.objects() if not view.is_empty(found))

    return await answer_list(request, instance, make)


async def query(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `query[?onlyid=true&fields=]`, whose body is a query; a POST reads too."""
    queries = parse_queries(await read_body(request, MAX_QUERY))
    matches = make_matcher(queries)
    annotations, view = await instance.data.source.load(), view_of(request)
    only_id = request.query.get("onlyid") == "true"
    ids = ids_of(queries, BODY_ID)

    def make() -> Iterator[bytes]:
        candidates = annotations.objects() if ids is None else _find(annotations, sorted(ids))
        for segment_id, found in candidates:
            if matches(found):
                yield str(segment_id).encode() if only_id else view.encode(found)

    return await answer_list(request, instance, make)


def _find(annotations: Annotations, ids: Iterable[int]) -> Iterator[tuple[int, Object]]:
    for segment_id in ids:
        found = annotations.find(segment_id)
        if found is not None:
            yield segment_id, found


def _keys_between(annotations: Annotations, first: int, last: int) -> list[str]:
    ids = annotations.ids
    if first > last:
        return []
    start, stop = (
        ids.searchsorted(ids.dtype.type(first)),
        ids.searchsorted(ids.dtype.type(last), side="right"),
    )
    return [str(segment_id) for segment_id in ids[start:stop].tolist()]


def _parse_bounds(request: web.Request) -> tuple[int, int]:
    """Return the two ids in the path."""
    first, last = map(parse_bound, bounds_of(request))
    return first, last


async def _answer_pairs(
    request: web.Request, instance: Instance[NeuronjsonData], pairs: Callable[[], Iterable[Pair]]
) -> web.Response:
    most = request.app[SERVICES].limits.max_response

    def make() -> bytes:
        collected = []
        size = 0
        for text, value in pairs():
            size += len(text) + len(value or b"")
            check_size(size, most)
            collected.append((text, value))
        return encode_pairs(request, collected)

    return web.Response(body=await instance.data.in_pool(make), content_type=form_of(request))
