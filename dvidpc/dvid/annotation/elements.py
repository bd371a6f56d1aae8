"""The endpoints that return elements: `elements`, `blocks`, `all-elements`, `label`, `tag`.

(annotation/handlers.go, 3400c2cb)
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.data.annotation import AnnotationData
from dvidpc.data.instance import Instance
from dvidpc.dvid.table import JSON
from dvidpc.dvid.url.coordinates import parse_voxel
from dvidpc.dvid.url.geometry import box_at
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.grid import Box
from dvidpc.http.streaming import send, stream

_IS_JSON: Final[Mapping[str, str]] = MappingProxyType({hdrs.CONTENT_TYPE: JSON})


async def elements(request: web.Request, instance: Instance[AnnotationData]) -> web.StreamResponse:
    """Answer `elements/<size>/<offset>`: those in a box; `null` if there are none, as in DVID."""
    box = _parse_box(request)
    if request.method == hdrs.METH_HEAD:
        return _head()
    return await _answer(request, await instance.data.source.elements(box))


async def blocks(request: web.Request, instance: Instance[AnnotationData]) -> web.StreamResponse:
    """Answer `blocks/<size>/<offset>`: all elements of the blocks that a box touches."""
    box = _parse_box(request)
    if request.method == hdrs.METH_HEAD:
        return _head()
    return await _answer(request, await instance.data.source.blocks(box))


async def all_elements(request: web.Request, instance: Instance[AnnotationData]) -> web.StreamResponse:
    """Answer `all-elements`, which is streamed once everything has been read."""
    refuse_more_parts(request)
    if request.method == hdrs.METH_HEAD:
        return _head()
    parts = await instance.data.source.all_elements()
    return await stream(request, _generate(parts), more=_IS_JSON)


async def label(request: web.Request, instance: Instance[AnnotationData]) -> web.StreamResponse:
    """Answer `label/<label>[?relationships=true]`: the elements in a segment."""
    _, *parts = call_parts(request)
    if not parts:
        raise RequestError("Must include label after 'label' endpoint.")
    wanted = parse_uint64(parts[0])
    if wanted == 0:
        raise RequestError("Label 0 is protected background value and cannot be used for query.")
    with_relationships = _wants_relationships(request)
    if not instance.data.framed.roles.bodies:
        raise RequestError(
            f'data {quote(instance.name)} has no relationship to segments: "label" endpoint is not supported'
        )
    if request.method == hdrs.METH_HEAD:
        return _head()
    found = await instance.data.source.label(wanted, with_relationships=with_relationships)
    return await _answer(request, found)


async def tag(request: web.Request, instance: Instance[AnnotationData]) -> web.StreamResponse:
    """Answer `tag/<tag>[?relationships=true]`: the elements that have a tag."""
    _, *parts = call_parts(request)
    if not parts:
        raise RequestError("Must include tag string after 'tag' endpoint.")
    with_relationships = _wants_relationships(request)
    if request.method == hdrs.METH_HEAD:
        return _head()
    found = await instance.data.source.tag(parts[0], with_relationships=with_relationships)
    return await _answer(request, found)


def refuse_more_parts(request: web.Request) -> None:
    """Refuse a path that goes on after the name of the endpoint.

    Raises:
        RequestError: It does.
    """
    endpoint, *parts = call_parts(request)
    if parts:
        raise RequestError(f"Do not expect additional parameters after '{endpoint}' in GET request")


def _parse_box(request: web.Request) -> Box:
    """Return the box in the path; it is empty if a size is not positive, which DVID does not refuse.

    Raises:
        RequestError: There is none, or it is malformed.
    """
    endpoint, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError(f"Expect size and offset to follow '{endpoint}' in GET request")
    offset = parse_voxel(parts[1])
    return box_at(offset, parse_voxel(parts[0]))


def _wants_relationships(request: web.Request) -> bool:
    """Return whether elements are asked for with their relationships.

    Raises:
        RequestError: The related elements are asked for too: their own relationships would have to be read.
    """
    wanted = request.query.get("relationships")
    if wanted == "verbose":
        raise RequestError("relationships=verbose is not supported by this server; use relationships=true")
    return wanted == "true"


def _head() -> web.Response:
    return web.Response(content_type=JSON)


async def _answer(request: web.Request, body: bytes) -> web.StreamResponse:
    return await send(request, [body], _IS_JSON)


async def _generate(parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for part in parts:
        yield part
