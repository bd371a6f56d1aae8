"""The table of the endpoints of `neuronjson`."""

from types import MappingProxyType
from typing import Final

from dvidpc.data.neuronjson import NEURONJSON, NEURONJSON_FAMILY, NeuronjsonData
from dvidpc.dvid.documents.keyed_endpoints import KEYED_DOCUMENTS
from dvidpc.dvid.neuronjson import bodies, descriptions, fields
from dvidpc.dvid.table import Endpoint, Family

_HEAD = """\
neuronjson: a JSON object for each body, read-only

The segment properties of a segmentation. Each object has the id as "bodyid" and a field for each property.
The property of the type label is called "name" too.
"""
_NO_SCHEMA = Endpoint(fields.schema, doc=descriptions.SCHEMA, is_document=True)

NEURONJSON_ENDPOINTS: Final[Family[NeuronjsonData]] = Family(
    name=NEURONJSON_FAMILY,
    types=(NEURONJSON,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "key": Endpoint(bodies.key, doc=descriptions.KEY),
            "keys": Endpoint(bodies.keys, doc=descriptions.KEYS),
            "keyrange": Endpoint(bodies.keyrange, doc=descriptions.KEYRANGE),
            "keyrangevalues": Endpoint(bodies.keyrangevalues, doc=descriptions.KEYRANGEVALUES),
            "keyvalues": Endpoint(bodies.keyvalues, doc=descriptions.KEYVALUES),
            "all": Endpoint(bodies.all_objects, doc=descriptions.ALL),
            "query": Endpoint(bodies.query, doc=descriptions.QUERY, reads_post=True),
            "fields": Endpoint(fields.fields, doc=descriptions.FIELDS),
            "fieldtimes": Endpoint(fields.fieldtimes, doc=descriptions.FIELDTIMES, is_document=True),
            "schema": _NO_SCHEMA,
            "json_schema": _NO_SCHEMA,
            "schema_batch": _NO_SCHEMA,
            **KEYED_DOCUMENTS,
        }
    ),
)
