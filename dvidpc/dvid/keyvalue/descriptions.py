"""Help and OpenAPI texts of the endpoints of `keyvalue`."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, OCTETS, TEXT, Doc, Parameter

TAR: Final = "application/tar"
JSON_FORM: Final = Parameter("answer with a JSON object; the values must be JSON", "true", ("true", "false"))
TAR_FORM: Final = Parameter("answer with a tar archive", "true", ("true", "false"))
PROTOBUF_FORM: Final = Parameter("answer in protobuf, the default", "true", ("true", "false"))
JSONTAR_FORM: Final = Parameter("as tar", "true", ("true", "false"))
CHECK: Final = Parameter("false: do not check that values are JSON", "false", ("true", "false"))

FORMS: Final = MappingProxyType(
    {
        "json": JSON_FORM,
        "tar": TAR_FORM,
        "jsontar": JSONTAR_FORM,
        "protobuf": PROTOBUF_FORM,
        "check": CHECK,
    }
)

KEY: Final = Doc(
    "The value of a key. Meshes: <id>.ngmesh in nanometers, <id>.drc and <id>.obj in voxels of the finest "
    "scale, <id>_<level>.ngmesh for a level of detail. Skeletons: <id>_swc, in voxels. A Range header with "
    "one range is answered by 206.",
    (OCTETS,),
    MappingProxyType(
        {
            "byte_start": Parameter("first byte to return; needs byte_end", "0"),
            "byte_end": Parameter("last byte to return; needs byte_start", "3"),
        }
    ),
    ("key/{key}",),
    (206, 404, 416),
)
KEYS: Final = Doc(
    "The keys of the segments that have properties, or else an object in the bucket. Refused for shards.",
    (JSON,),
)
KEYRANGE: Final = Doc(
    "The keys from one to another, both inclusive.", (JSON,), forms=("keyrange/{first}/{last}",)
)
KEYRANGEVALUES: Final = Doc(
    "The values of the keys from one to another, both inclusive.",
    (OCTETS, JSON, TAR),
    FORMS,
    ("keyrangevalues/{first}/{last}",),
)
KEYVALUES: Final = Doc(
    "The values of the keys that the body of the GET lists: a JSON list, or a protobuf message (Keys) if the "
    "answer is protobuf.",
    (OCTETS, JSON, TAR),
    FORMS,
)
MUTATIONS: Final = Doc("The mutations of the version: none.", (TEXT,))
