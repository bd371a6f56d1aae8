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
    "Refused, unless N is 0: a collection lists the annotations of a segment, not the segments by number.",
    (JSON,),
    forms=("top/{number}/{element}",),
)
THRESHOLD: Final = Doc(
    "Always refused, as top.",
    query=MappingProxyType(
        {"offset": Parameter("the first rank", "0"), "n": Parameter("the number of labels", "10")}
    ),
    forms=("threshold/{number}/{element}",),
)
INFO: Final = Doc("Data type, and the annotations that are counted (Syncs).", (JSON,))
