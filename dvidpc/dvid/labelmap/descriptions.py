"""Help and OpenAPI texts of the endpoints of labels."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, OCTETS, TEXT, Doc, Parameter

SCALE = Parameter("0 for the finest scale, 1 for half its resolution, ... up to MaxDownresLevel", "0")
SUPERVOXELS = Parameter("accepted as in DVID; every label is a supervoxel and a body", "true")
_THROTTLE = Parameter("accepted as in DVID; no effect", "off", ("on", "true", "off", "false"))
HASH = Parameter("MD5 of the request's body in hexadecimal digits, to check it", "")
_COMMON = {"scale": SCALE, "supervoxels": SUPERVOXELS}
_PNG = "image/png"


def _compression(default: str, *others: str) -> Parameter:
    return Parameter(f"encoding of the labels; default {default}", default, (default, *others))


SPECIFIC_BLOCKS: Final = Doc(
    "Blocks by their block coordinates, in the order of the request. Each block is preceded by four int32: "
    "x, y, z and the number of bytes that follow: gzip of DVID's labels.Block, LZ4 or gzip of uint64 voxels, "
    "or plain uint64 voxels. Blocks that are not stored are omitted.",
    (OCTETS,),
    MappingProxyType(
        {
            "blocks": Parameter("block coordinates: x,y,z,x,y,z,...", "0,0,0"),
            "compression": _compression("blocks", "lz4", "gzip", "uncompressed"),
            **_COMMON,
        }
    ),
)
BLOCKS: Final = Doc(
    "The blocks of a box, in the format of specificblocks. Size and offset are in voxels and must be "
    "multiples of the block size.",
    (OCTETS,),
    MappingProxyType(
        {
            "compression": _compression("lz4", "blocks", "gzip", "uncompressed"),
            "throttle": _THROTTLE,
            **_COMMON,
        }
    ),
    ("blocks/{size}/{offset}",),
)
RAW: Final = Doc(
    "The labels of a box as uint64, x fastest (raw/0_1_2/100_100_50/0_0_0), or a slice as PNG with 16 bits "
    "for each of red, green, blue and alpha (raw/xy/512_256/0_0_100). Voxels outside the volume are 0.",
    (OCTETS, _PNG),
    MappingProxyType(
        {
            "compression": Parameter(
                "encoding of a box: lz4, gzip, or google for compressed_segmentation; default plain",
                "lz4",
                ("lz4", "gzip", "google", "googlegzip"),
            ),
            "throttle": _THROTTLE,
            **_COMMON,
        }
    ),
    ("raw/{dims}/{size}/{offset}", "raw/{dims}/{size}/{offset}/{format}"),
)
ISOTROPIC: Final = Doc(
    "Like raw, but slices are scaled to square pixels.",
    (OCTETS, _PNG),
    MappingProxyType(_COMMON),
    ("isotropic/{dims}/{size}/{offset}", "isotropic/{dims}/{size}/{offset}/{format}"),
)
PSEUDOCOLOR: Final = Doc(
    "A slice as an image in which each label has a colour of its own.",
    (_PNG, "image/jpeg", "image/tiff", "image/bmp"),
    MappingProxyType(_COMMON),
    ("pseudocolor/{dims}/{size}/{offset}", "pseudocolor/{dims}/{size}/{offset}/{format}"),
)
LABEL: Final = Doc(
    'The label of a voxel: {"Label": 23}. It is 0 outside the volume.',
    (JSON,),
    MappingProxyType(_COMMON),
    ("label/{voxel}",),
)
LABELS: Final = Doc(
    "The labels of many voxels. The body of the GET is a JSON list of positions: [[x,y,z],...].",
    (JSON,),
    MappingProxyType({"hash": HASH, **_COMMON}),
)
MAPPING: Final = Doc(
    "The bodies of supervoxels. The body of the GET is a JSON list of labels. Every label maps to itself.",
    (JSON,),
    MappingProxyType({"hash": HASH, "nolookup": Parameter("accepted as in DVID; no effect", "true")}),
)
MAPPINGS: Final = Doc("The supervoxels that map to another label: none.", (TEXT,))
SUPERVOXEL_SPLITS: Final = Doc("The supervoxels that were split: none.", (JSON,))
MUTATIONS: Final = Doc("The mutations of the version: none.", (TEXT,))
MUTATIONS_RANGE: Final = Doc(
    "The mutations between two versions: none.", (TEXT,), forms=("mutations-range/{from}/{to}",)
)
HISTORY: Final = Doc("The mutations of a label: none.", (TEXT,), forms=("history/{label}/{from}/{to}",))
METADATA: Final = Doc(
    "The axes of the volume and the values of a voxel.", ("application/vnd.dvid-nd-data+json",)
)
EXTENTS: Final = Doc("Always refused: the volume's metadata define the extents.")
RESOLUTION: Final = Doc("Always refused: the volume's metadata define the voxel size.")
