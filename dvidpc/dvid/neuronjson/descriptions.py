"""Help and OpenAPI texts of the endpoints of `neuronjson`."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.keyvalue.descriptions import FORMS, TAR
from dvidpc.dvid.table import JSON, OCTETS, TEXT, Doc, Parameter

_VIEW: Final = MappingProxyType(
    {
        "fields": Parameter("names of the fields to return, joined by commas; default all", "name,tags"),
        "show": Parameter(
            "accepted as in DVID; no effect, because no field has a user or a time",
            "all",
            ("user", "time", "all"),
        ),
    }
)

KEY: Final = Doc(
    'The object of a body, such as {"bodyid": 23, "name": "Mi1"}.',
    (TEXT,),
    _VIEW,
    ("key/{key}",),
    (404,),
)
KEYS: Final = Doc("The ids of the bodies that have an object, in the order of the numbers.", (JSON,))
KEYRANGE: Final = Doc(
    "The ids of the bodies from one to another, both inclusive.", (JSON,), forms=("keyrange/{first}/{last}",)
)
KEYRANGEVALUES: Final = Doc(
    "The objects of the bodies from one to another, both inclusive.",
    (OCTETS, JSON, TAR),
    MappingProxyType({**FORMS, **_VIEW}),
    ("keyrangevalues/{first}/{last}",),
)
KEYVALUES: Final = Doc(
    "The objects of the bodies that the body of the GET lists: a JSON list, or a protobuf message (Keys) if "
    "the answer is protobuf.",
    (OCTETS, JSON, TAR),
    MappingProxyType({**FORMS, **_VIEW}),
)
ALL: Final = Doc("The objects of all bodies, as a list.", (JSON,), _VIEW)
QUERY: Final = Doc(
    'The objects that match the query in the body of the GET or POST: {"type": ["Mi1", "Tm3"]}. A list of '
    'queries means one of them. "exists/1" and "exists/0" stand for any value and none.',
    (JSON,),
    MappingProxyType({"onlyid": Parameter("true: return ids only", "true", ("true", "false")), **_VIEW}),
)
FIELDS: Final = Doc(
    "The names of all fields.",
    (JSON,),
    MappingProxyType(
        {"counts": Parameter("true: return how many bodies have each", "true", ("true", "false"))}
    ),
)
FIELDTIMES: Final = Doc("When fields were last set: nothing is recorded.", (JSON,))
SCHEMA: Final = Doc("Always 404: there is no schema.", statuses=(404,))
