"""The table of what instances of image types answer."""

from types import MappingProxyType
from typing import Final

from dvidpc.data.image import FAMILY, VOXEL_TYPES, ImageData
from dvidpc.dvid.descriptions import HELP, INFO
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.metadata import data_info
from dvidpc.dvid.imageblk import blocks, descriptions, metadata, planes, raw, rawkey
from dvidpc.dvid.table import Endpoint, Family

_IMMUTABLE = 'Data "{name}" uses an immutable GridStore so cannot received POSTs'
"""DVID's words, to the letter.  (imageblk.go:2249, 3400c2cb)"""


def _introduce(type_name: str) -> str:
    voxel_type = VOXEL_TYPES[type_name]
    values = ", ".join(voxel_type.labels)
    return _HEAD.format(type_name=type_name, value_type=voxel_type.value_type, values=values)


_HEAD = """\
{type_name}: images and volumes of {value_type} voxels ({values}), read-only

Coordinates are voxels of the whole volume along x, y and z. A block is a cube of BlockSize voxels
(see info); block coordinates are voxel coordinates divided by it. Numbers are little-endian.
"""

IMAGEBLK: Final[Family[ImageData]] = Family(
    name=FAMILY,
    types=tuple(voxel_type.data_type for voxel_type in VOXEL_TYPES.values()),
    introduce=_introduce,
    endpoints=MappingProxyType(
        {
            "specificblocks": Endpoint(
                blocks.specific_blocks,
                "DVID does not accept the post action on the 'specificblocks' endpoint",
                descriptions.SPECIFIC_BLOCKS,
            ),
            "subvolblocks": Endpoint(
                blocks.subvolume_blocks,
                "DVID does not accept the post action on the 'blocks' endpoint",
                descriptions.SUBVOLUME_BLOCKS,
            ),
            "blocks": Endpoint(blocks.block_span, _IMMUTABLE, descriptions.BLOCKS),
            "raw": Endpoint(raw.raw, _IMMUTABLE, descriptions.RAW),
            "isotropic": Endpoint(
                raw.isotropic, "can only POST 'raw' not 'isotropic' images", descriptions.ISOTROPIC
            ),
            "arb": Endpoint(planes.arb, doc=descriptions.ARBITRARY),
            "tile": Endpoint(planes.tile, _IMMUTABLE, descriptions.TILE),
            "rawkey": Endpoint(rawkey.rawkey, doc=descriptions.RAW_KEY),
            "extents": Endpoint(metadata.extents, _IMMUTABLE, descriptions.EXTENTS),
            "resolution": Endpoint(metadata.resolution, _IMMUTABLE, descriptions.RESOLUTION),
            "info": Endpoint(data_info, "info endpoint only supports GET HTTP verb", INFO, is_document=True),
            "metadata": Endpoint(metadata.metadata, doc=descriptions.METADATA, is_document=True),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
