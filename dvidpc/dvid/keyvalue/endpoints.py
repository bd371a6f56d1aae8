"""The table of the endpoints of `keyvalue`."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.keyvalue import KEYVALUE, KEYVALUE_FAMILY, KeyvalueData
from dvidpc.dvid.documents.keyed_endpoints import KEYED_DOCUMENTS
from dvidpc.dvid.keyvalue import descriptions, many, value
from dvidpc.dvid.table import TEXT, Endpoint, Family

_HEAD = """\
keyvalue: values by key, read-only

The meshes or the skeletons of a segmentation. <id> is the number of a segment. Numbers in meshes are
little-endian.
"""


async def _mutations(_request: web.Request, _instance: Instance[KeyvalueData]) -> web.StreamResponse:
    """Answer `mutations` with an empty list."""
    return web.Response(body=b"[]", content_type=TEXT)


KEYVALUE_ENDPOINTS: Final[Family[KeyvalueData]] = Family(
    name=KEYVALUE_FAMILY,
    types=(KEYVALUE,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "key": Endpoint(value.key, doc=descriptions.KEY),
            "keys": Endpoint(many.keys, doc=descriptions.KEYS),
            "keyrange": Endpoint(many.keyrange, doc=descriptions.KEYRANGE),
            "keyrangevalues": Endpoint(many.keyrangevalues, doc=descriptions.KEYRANGEVALUES),
            "keyvalues": Endpoint(many.keyvalues, doc=descriptions.KEYVALUES),
            "mutations": Endpoint(_mutations, doc=descriptions.MUTATIONS, is_document=True),
            **KEYED_DOCUMENTS,
        }
    ),
)
