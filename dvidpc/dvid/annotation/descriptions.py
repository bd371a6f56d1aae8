"""Help and OpenAPI texts of the endpoints of `annotation`."""

from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, Doc, Parameter

_RELATIONSHIPS: Final = MappingProxyType(
    {"relationships": Parameter("true: return the relationships too", "true", ("true", "false"))}
)

ELEMENTS: Final = Doc(
    "The elements in a box, each with Pos, Kind, Tags, Prop and Rels; null if there are none. Size and "
    "offset are in voxels.",
    (JSON,),
    forms=("elements/{size}/{offset}",),
)
BLOCKS: Final = Doc(
    'All elements of the blocks that a box touches: {"x,y,z": [...]}. A block is a cube of 64 voxels. Blocks '
    "without elements are left out.",
    (JSON,),
    forms=("blocks/{size}/{offset}",),
)
ALL_ELEMENTS: Final = Doc("All elements, as blocks returns them. Refused for large collections.", (JSON,))
LABEL: Final = Doc(
    "The elements in a segment, as the collection's relationships have it.",
    (JSON,),
    _RELATIONSHIPS,
    ("label/{label}",),
)
TAG: Final = Doc(
    "The elements that have a tag. Which properties become tags is configured.",
    (JSON,),
    _RELATIONSHIPS,
    ("tag/{tag}",),
)
ROI: Final = Doc("Always refused: there are no regions of interest.", forms=("roi/{roi}",))
SCAN: Final = Doc("Always refused: there is no database to scan.")
WRITE_ONLY: Final = Doc("Always refused: it exists for writing only.")
TAGS: Final = Doc("Tags of the instance: extents, voxel size and block size, as JSON in strings.", (JSON,))
INFO: Final = Doc("Data type, the segmentation that it belongs to (Syncs), and tags.", (JSON,))
