"""The endpoints about supervoxels, bodies and their history. In a stored segmentation every label is both.

Nothing was ever merged or split, so every label maps to itself, and there are no mutations.
"""

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.labelmap import LabelmapData
from dvidpc.dvid.labelmap.points import MAX_BODY, off_loop
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON, TEXT
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.labels_json import check_content_hash, encode_labels, parse_ids
from dvidpc.http.bodies import NOT_STORED, read_body


async def mapping(request: web.Request, _instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `mapping[?hash=]`, whose body is a list of supervoxels: the bodies, which are the same labels.

    DVID answers 0 for a label without an index, as if there were no such label; here nothing is indexed.
    (labelmap/handlers.go, labelidx.go:773-818, 3400c2cb)
    """
    body = await read_body(request, MAX_BODY)
    check_content_hash(body, request.query.get("hash", ""))
    bodies = await off_loop(len(body), lambda: encode_labels(parse_ids(body)))
    return web.Response(body=bodies, content_type=JSON, headers=NOT_STORED)


async def mappings(_request: web.Request, _instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `mappings[?format=binary]` with nothing: DVID lists no label that maps to itself."""
    return web.Response(content_type=TEXT)


async def supervoxel_splits(_request: web.Request, _instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `supervoxel-splits` with an empty list."""
    return web.Response(body=b"[]", content_type=JSON)


async def mutations(_request: web.Request, _instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `mutations` with an empty list."""
    return web.Response(text="[]")


async def mutations_range(request: web.Request, instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `mutations-range/<from>/<to>` with an empty list."""
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError("must specify begin and end UUIDs with GET /mutations-range endpoint")
    for spec in parts[:2]:
        request.app[SERVICES].repo.resolve(spec)
    return await mutations(request, instance)


async def history(request: web.Request, _instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `history/<label>/<from>/<to>` with nothing."""
    _, *parts = call_parts(request)
    if len(parts) < 3:
        raise RequestError(
            "ERROR: DVID requires label ID, 'from' UUID, and 'to' UUID to follow 'history' command"
        )
    if parse_uint64(parts[0]) == 0:
        raise RequestError("Label 0 is protected background value and cannot be used as sparse volume.\n")
    for spec in parts[1:3]:
        request.app[SERVICES].repo.resolve(spec)
    return web.Response(content_type=TEXT)


async def not_indexed(request: web.Request, instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Refuse an endpoint that needs to know where a label lies, in DVID's words, or one that nothing answers.

    DVID without an index refuses nine of these, and for the others says that there is no such label; that
    would be wrong here.  (labelmap.go:3340-3346, 3400c2cb)
    """
    endpoint = call_parts(request)[0]
    if instance.data.index is not None:
        raise RequestError(f"{quote(endpoint)} endpoint is not supported by this server")
    raise RequestError(
        f"data {quote(instance.name)} is not label indexed (IndexedLabels=false): "
        f"{quote(endpoint)} endpoint is not supported"
    )
