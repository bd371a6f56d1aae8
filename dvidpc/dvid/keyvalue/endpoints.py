"""The table of the endpoints of `keyvalue`."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from dvidpc.data.instance import Data, Instance
from dvidpc.data.keyvalue import KEYVALUE, KEYVALUE_FAMILY, KeyvalueData
from dvidpc.dvid.descriptions import HELP, INFO
from dvidpc.dvid.documents.framing import json_answer
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info
from dvidpc.dvid.keyvalue import descriptions, many, value
from dvidpc.dvid.table import TEXT, Endpoint, Family

_HEAD = """\
keyvalue: values by key, read-only

The meshes or the skeletons of a segmentation. <id> is the number of a segment. Numbers in meshes are
little-endian.
"""


async def tags(_request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
    """Answer `tags`: there are none."""
    return json_answer({"Tags": None})


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
            "tags": Endpoint(tags, doc=descriptions.TAGS, is_document=True),
            "info": Endpoint(data_info, doc=INFO, is_document=True),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
