"""The endpoints `metadata`, and `extents` and `resolution`, which exist in DVID for writing only."""

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Data, Instance
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.http.etags import answer_whole

_ND_DATA = "application/vnd.dvid-nd-data+json"


async def metadata(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `metadata`: the axes, and the values of a voxel."""
    document = metadata_document(instance.data, instance.data.properties(instance.store_alias))
    return answer_metadata(request, document)


def answer_metadata(request: web.Request, document: dict[str, JsonValue]) -> web.Response:
    """Return the document of `metadata` as a response."""
    return answer_whole(request, encode(document) + b"\n", _ND_DATA)


def metadata_document(data: ImageData, properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the document of `metadata`. `Size` is the true size; DVID's is one too high.

    Args:
        data: The finest scale.
        properties: The `Extended` member of the info document.
    """
    axes = zip("XYZ", data.voxel_size, data.min_point, data.max_point, strict=True)
    return {
        "Axes": [
            {
                "Label": label,
                "Resolution": resolution_nm,
                "Units": "nanometers",
                "Size": last - first + 1,
                "Offset": first,
            }
            for label, resolution_nm, first, last in axes
        ],
        "Properties": properties,
    }


async def extents(_request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
    """Refuse `extents`: the volume's metadata define them.

    DVID accepts a POST of other extents, even for precomputed volumes.  (imageblk.go:2304, 3400c2cb)
    """
    raise RequestError("extents endpoint only supports POST HTTP verb")


async def resolution(_request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
    """Refuse `resolution`: the volume's metadata define it."""
    raise RequestError("resolution endpoint only supports POST HTTP verb")
