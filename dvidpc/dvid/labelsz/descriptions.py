"""Help and OpenAPI texts of the endpoints of `labelsz`."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, Doc, Parameter

COUNT: Final = Doc(
    'How many elements of a type a segment has: {"Label": 23, "PreSyn": 81}. The type is PreSyn, PostSyn, '
    "Gap, Note or AllSyn.",
    (JSON,),
    forms=("count/{label}/{element}",),
)
COUNTS: Final = Doc(
    "How many elements of a type each of many segments has. The body of the GET is a JSON list of labels.",
    (JSON,),
    forms=("counts/{element}",),
)
TOP: Final = Doc(
    "The N segments that have the most elements of a type. Refused for large collections, whose segments all "
    "would have to be read.",
    (JSON,),
    forms=("top/{number}/{element}",),
)
THRESHOLD: Final = Doc(
    "The segments that have at least N elements of a type, those with the most first. Refused as top is.",
    (JSON,),
    query=MappingProxyType(
        {
            "offset": Parameter("the first rank", "0"),
            "n": Parameter("the number of labels; default 10000", "10"),
        }
    ),
    forms=("threshold/{number}/{element}",),
)
INFO: Final = Doc("Data type, and the annotations that are counted (Syncs).", (JSON,))
