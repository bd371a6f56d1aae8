"""The endpoints `keys`, `keyrange`, `keyrangevalues` and `keyvalues`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.data.instance import Instance
from dvidpc.data.keyvalue import KeyvalueData, Values
from dvidpc.dvid.documents.framing import json_answer
from dvidpc.dvid.limits import check_block_count, check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON, OCTETS
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.key_requests import KeyRead, parse_json_reads, parse_protobuf_reads
from dvidpc.formats.dvid.keyvalues import Pair, encode_json, encode_protobuf, encode_tar, is_json
from dvidpc.http.bodies import read_body
from dvidpc.tasks import gather_or_cancel

MAX_BODY: Final = 16 * 2**20
"""Largest list of keys in bytes."""
TAR: Final = "application/tar"
"""DVID's type of an archive."""

_CONCURRENT_READS: Final = 4
"""Values of one request that are read concurrently; a mesh may have 128 MiB."""


async def keys(_request: web.Request, instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `keys`."""
    return await asyncio.to_thread(json_answer, await instance.data.values.keys("", None))


async def keyrange(request: web.Request, instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `keyrange/<key>/<key>`: the keys between two, both inclusive."""
    found = await _keys_between(instance.data.values, *bounds_of(request))
    return await asyncio.to_thread(json_answer, found)


async def keyrangevalues(request: web.Request, instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `keyrangevalues/<key>/<key>`: the values of the keys between two, both inclusive."""
    found = await _keys_between(instance.data.values, *bounds_of(request))
    return await _answer(request, instance, [KeyRead(name) for name in found], keeps_missing=False)


async def keyvalues(request: web.Request, instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `keyvalues`, whose body lists the keys: in JSON if the answer is JSON or tar, else protobuf."""
    reads = await read_keys(request, instance.name, parse_json_reads)
    return await _answer(request, instance, reads, keeps_missing=True)


async def read_keys(
    request: web.Request, instance_name: str, parse_json: Callable[[bytes], list[KeyRead]]
) -> list[KeyRead]:
    """Return the keys in the body of a `keyvalues` request.

    Args:
        request: The request.
        instance_name: For messages.
        parse_json: Parses the body if it is JSON.

    Raises:
        RequestError: The request is a HEAD, or its body is malformed.
    """
    if request.method == hdrs.METH_HEAD:
        raise RequestError('keyvalues endpoint does not support "head" HTTP verb')
    body = await read_body(request, MAX_BODY)
    parse = parse_protobuf_reads if form_of(request) is OCTETS else parse_json
    try:
        reads = parse(body)
    except RequestError as error:
        raise RequestError(_refusal(instance_name, str(error))) from None
    check_block_count(len(reads), request.app[SERVICES].limits.max_blocks)
    return reads


def bounds_of(request: web.Request) -> tuple[str, str]:
    """Return the two keys in the path.

    Raises:
        RequestError: There are fewer.
    """
    endpoint, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError(f"expect beginning and end keys to follow '{endpoint}' endpoint")
    return parts[0], parts[1]


def form_of(request: web.Request) -> str:
    """Return the content type that a request asks for: JSON, tar or protobuf."""
    query = request.query
    if query.get("json") == "true":
        return JSON
    return TAR if "true" in {query.get("tar"), query.get("jsontar")} else OCTETS


def encode_pairs(request: web.Request, pairs: Sequence[Pair]) -> bytes:
    """Return pairs in the form that a request asks for.

    Raises:
        RequestError: They cannot be expressed in that form.
    """
    match form_of(request):
        case "application/json":
            return encode_json(pairs, check=request.query.get("check") != "false")
        case "application/tar":
            return encode_tar(pairs)
        case _:
            return encode_protobuf(pairs)


async def _keys_between(values: Values, first: str, last: str) -> list[str]:
    """Return the keys from *first* to *last*; a range of one key needs no list of keys."""
    if first == last:
        return [first] if await values.has(first) else []
    return await values.keys(first, last)


def _refusal(instance_name: str, text: str) -> str:
    """Return DVID's text for a request whose keys it does not read."""
    return f"GET /keyvalues on 0 keys, data {quote(instance_name)}: {text}"


async def _answer(
    request: web.Request, instance: Instance[KeyvalueData], reads: Sequence[KeyRead], *, keeps_missing: bool
) -> web.Response:
    """Answer with values.

    Args:
        request: The request.
        instance: Holds the values.
        reads: Which of them.
        keeps_missing: Whether keys without a value are part of the answer.
    """
    limits = request.app[SERVICES].limits
    check_block_count(len(reads), limits.max_blocks)
    TALLY.get().blocks = len(reads)
    pairs = await _read_values(instance.data.values, reads, limits.max_response)
    if form_of(request) is JSON:
        _check_parts(instance.name, reads, pairs)
    if not keeps_missing:
        pairs = [(name, value) for name, value in pairs if value]
    body = await asyncio.to_thread(encode_pairs, request, pairs)
    return web.Response(body=body, content_type=form_of(request))


def _check_parts(instance_name: str, reads: Sequence[KeyRead], pairs: Sequence[Pair]) -> None:
    """Refuse parts of values that are not JSON, as DVID does whether `check` is false or not."""
    for wanted, (name, value) in zip(reads, pairs, strict=True):
        if wanted.span is not None and value is not None and not is_json(value):
            raise RequestError(_refusal(instance_name, f"bad JSON for key {quote(name)} after byte range"))


async def _read_values(values: Values, reads: Sequence[KeyRead], max_response: int) -> list[Pair]:
    """Return the values in the order of *reads*.

    Raises:
        TooLargeError: Together they have more than *max_response* bytes.
    """
    turns = asyncio.Semaphore(_CONCURRENT_READS)
    total = 0

    async def read(wanted: KeyRead) -> Pair:
        nonlocal total
        async with turns:
            value = await values.get(wanted.key)
        if value is None:
            return wanted.key, None
        data = value.data if wanted.span is None else wanted.span.cut(wanted.key, value.data)
        total += len(data)
        check_size(total, max_response)
        return wanted.key, data

    return await gather_or_cancel(map(read, reads))
