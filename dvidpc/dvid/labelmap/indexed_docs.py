"""Help and OpenAPI texts of the endpoints that read the label index."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.labelmap.descriptions import HASH, SCALE, SUPERVOXELS
from dvidpc.dvid.table import JSON, OCTETS, Doc, Parameter

_IF = " Refused without a label index."
_LIST = "The body of the GET is a JSON list of labels."
_BODIES = MappingProxyType({"supervoxels": SUPERVOXELS})
_BOUNDS = {
    f"{end}{axis}": Parameter(f"{word} {axis} in voxels, inclusive", "")
    for axis in "xyz"
    for end, word in (("min", "least"), ("max", "greatest"))
}
_VOLUME = MappingProxyType(
    {
        "format": Parameter(
            "rles: runs with their number in front; srles: streamed runs; blocks: streamed masks of blocks",
            "rles",
            ("rles", "srles", "blocks"),
        ),
        "compression": Parameter("compression of format=rles; default none", "lz4", ("lz4", "gzip")),
        "exact": Parameter("false: bounds choose blocks and do not cut runs", "true", ("true", "false")),
        **_BOUNDS,
        "scale": SCALE,
        "supervoxels": SUPERVOXELS,
    }
)

SIZE: Final = Doc(
    'The number of voxels of a label: {"voxels": 150676}.' + _IF, (JSON,), _BODIES, ("size/{label}",), (404,)
)
SIZES: Final = Doc(
    "The numbers of voxels of many labels; 0 for an unknown label. " + _LIST + _IF,
    (JSON,),
    MappingProxyType({"hash": HASH, "supervoxels": SUPERVOXELS}),
)
SPARSEVOL_SIZE: Final = Doc(
    "The voxels and the blocks of a label, and the extent of these blocks in voxels." + _IF,
    (JSON,),
    _BODIES,
    ("sparsevol-size/{label}",),
    (404,),
)
SUPERVOXELS_OF: Final = Doc(
    "The supervoxels of a label: itself." + _IF, (JSON,), _BODIES, ("supervoxels/{label}",), (404,)
)
SUPERVOXEL_SIZES: Final = Doc(
    "The supervoxels of a label and their voxels." + _IF,
    (JSON,),
    _BODIES,
    ("supervoxel-sizes/{label}",),
    (404,),
)
LASTMOD: Final = Doc(
    "The last change of a label: none." + _IF, (JSON,), forms=("lastmod/{label}",), statuses=(404,)
)
MAXLABEL: Final = Doc('The largest label: {"maxlabel": 23}.' + _IF, (JSON,))
NEXTLABEL: Final = Doc('The label after the largest: {"nextlabel": 24}.' + _IF, (JSON,))
LISTLABELS: Final = Doc(
    "Labels in ascending order as uint64, each followed by its number of voxels if asked." + _IF,
    (OCTETS,),
    MappingProxyType(
        {
            "start": Parameter("the least label to list", "0"),
            "number": Parameter("how many labels to list; at most, and by default, 10,000,000", "100"),
            "sizes": Parameter("true: each label is followed by its voxels", "false", ("true", "false")),
        }
    ),
)
EXISTING_LABELS: Final = Doc("All labels in ascending order, as a JSON list." + _IF, (JSON,))
INDEX: Final = Doc(
    "The blocks of a label and its voxels in each, as a LabelIndex protobuf message." + _IF,
    (OCTETS, JSON),
    MappingProxyType(
        {
            "metadata-only": Parameter(
                "true: only the number of voxels, as JSON", "false", ("true", "false")
            ),
            "mutid": Parameter("the index before a mutation; there is none, so the answer is 404", ""),
        }
    ),
    ("index/{label}",),
    (404,),
)
INDICES: Final = Doc(
    "The indexes of many labels as a LabelIndices protobuf message. " + _LIST + _IF, (OCTETS,)
)
INDICES_COMPRESSED: Final = Doc(
    "The indexes of many labels: for each its size in bytes and the label as uint64, and the message by LZ4. "
    + _LIST
    + _IF,
    (OCTETS,),
)
SPARSEVOL: Final = Doc(
    "The voxels of a label: runs along x, or masks of blocks. HEAD: 200 if there is such a label, else 204."
    + _IF,
    (OCTETS,),
    _VOLUME,
    ("sparsevol/{label}",),
    (204, 404),
)
SPARSEVOL_BY_POINT: Final = Doc(
    "The voxels of the label at a voxel, as by sparsevol." + _IF,
    (OCTETS,),
    _VOLUME,
    ("sparsevol-by-point/{voxel}",),
    (204, 404),
)
SPARSEVOL_COARSE: Final = Doc(
    "The blocks of a label, as runs of block coordinates along x." + _IF,
    (OCTETS,),
    MappingProxyType({**_BOUNDS, "supervoxels": SUPERVOXELS}),
    ("sparsevol-coarse/{label}",),
    (404,),
)
SPARSEVOLS_COARSE: Final = Doc(
    "The blocks of all labels in a range: for each the label as uint64, the number of runs, and the runs."
    + _IF,
    (OCTETS,),
    MappingProxyType(_BOUNDS),
    ("sparsevols-coarse/{first}/{last}",),
)
REFUSED: Final = Doc("Always refused: this server does not answer it, with or without a label index.")
