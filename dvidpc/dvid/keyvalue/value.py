"""The endpoint `key`: the value of one key, or some bytes of it."""

import re
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from dvidpc.data.instance import Instance
from dvidpc.data.keyvalue import KeyvalueData
from dvidpc.dvid.table import OCTETS
from dvidpc.dvid.url.numbers import SHOWN
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.key_requests import ByteSpan
from dvidpc.http.error_responses import plain_error

_UNSIGNED: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_LOD: Final = "X-Mesh-Lod"
_ACCEPT_RANGES: Final = {hdrs.ACCEPT_RANGES: "bytes"}


class _Unsatisfiable(NamedTuple):
    """Why a `Range` header cannot be answered."""

    text: str


async def key(request: web.Request, instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `key/<key>`; a HEAD reads as little as it can.

    (keyvalue.go:1031-1057, 3400c2cb)
    """
    name = key_of(request)
    values = instance.data.values
    if request.method == hdrs.METH_HEAD:
        return web.Response(headers=_ACCEPT_RANGES) if await values.has(name) else not_found(request, name)
    span = _parse_span(request, name)
    value = await values.get(name)
    if value is None or not value.data:
        return not_found(request, name)
    headers = _ACCEPT_RANGES | ({_LOD: str(value.lod)} if value.lod else {})
    if span is not None:
        return web.Response(body=span.cut(name, value.data), content_type=OCTETS, headers=headers)
    return _answer_range(request.headers.get(hdrs.RANGE, ""), value.data, headers)


def key_of(request: web.Request) -> str:
    """Return the key that the path names; DVID ignores what follows it.

    Raises:
        RequestError: It names none.
    """
    endpoint, *parts = call_parts(request)
    if not parts or not parts[0]:
        raise RequestError(f"expect key string to follow '{endpoint}' endpoint")
    return parts[0]


def not_found(request: web.Request, name: str) -> web.Response:
    """Return DVID's answer for a key without a value."""
    if request.method == hdrs.METH_HEAD:
        return web.Response(status=404)
    return plain_error(404, f"Key {quote(name)} not found\n")


def _answer_range(header: str, data: bytes, headers: dict[str, str]) -> web.Response:
    found = _find_range(header, len(data))
    if isinstance(found, _Unsatisfiable):
        refusal = plain_error(416, f"{found.text}\n")
        refusal.headers[hdrs.CONTENT_RANGE] = f"bytes */{len(data)}"
        return refusal
    if found is None:
        return web.Response(body=data, content_type=OCTETS, headers=headers)
    headers = {**headers, hdrs.CONTENT_RANGE: f"bytes {found.first}-{found.last}/{len(data)}"}
    body = data[found.first : found.last + 1]
    return web.Response(status=206, body=body, content_type=OCTETS, headers=headers)


def _find_range(header: str, size: int) -> ByteSpan | _Unsatisfiable | None:
    """Return which bytes a `Range` header asks for; None: all, because it is missing, malformed or a list."""
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        if not count:
            return _Unsatisfiable(f"Range {quote(header)} is not satisfiable")
        return ByteSpan(size - count, size - 1)
    first, last = int(match[1]), int(match[2] or size - 1)
    if match[2] and last < first:
        return None
    if first >= size:
        return _Unsatisfiable(f"Range start {first} is outside value with {size} bytes")
    return ByteSpan(first, min(last, size - 1))


def _parse_span(request: web.Request, name: str) -> ByteSpan | None:
    """Return the bytes that `byte_start` and `byte_end` name; None if the query has neither."""
    texts = {part: request.query[part] for part in ("byte_start", "byte_end") if part in request.query}
    if not texts:
        return None
    if len(texts) == 1:
        raise RequestError(f"range read for key {quote(name)} requires both byte_start and byte_end")
    for part, text in texts.items():
        if not _UNSIGNED.fullmatch(text):
            raise RequestError(f"{part} must be an unsigned integer, got {quote(text[:SHOWN])}")
    return ByteSpan(int(texts["byte_start"]), int(texts["byte_end"]))
