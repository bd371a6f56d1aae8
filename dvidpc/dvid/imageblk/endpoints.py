"""The table of the endpoints of image types."""

from types import MappingProxyType
from typing import Final

from dvidpc.data.image import FAMILY, VOXEL_TYPES, ImageData
from dvidpc.dvid.descriptions import HELP, INFO
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info
from dvidpc.dvid.imageblk import arb, blocks, descriptions, metadata, raw, rawkey, tile
from dvidpc.dvid.table import Endpoint, Family

_IMMUTABLE = 'Data "{name}" uses an immutable GridStore so cannot received POSTs'
"""DVID's words, to the letter.  (imageblk.go:2249, 3400c2cb)"""


def _introduce(type_name: str) -> str:
    voxel_type = VOXEL_TYPES[type_name]
    values = ", ".join(voxel_type.labels)
    return _HEAD.format(type_name=type_name, value_type=voxel_type.value_type, values=values)


_HEAD = """\
{type_name}: images and volumes of {value_type} voxels ({values}), read-only

Coordinates are in voxels of the whole volume, along x, y and z. A block is a cube of BlockSize voxels
(see info). Block coordinates are voxel coordinates divided by BlockSize. Numbers are little-endian.
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
                omits_failed=True,
            ),
            "subvolblocks": Endpoint(
                blocks.subvolume_blocks,
                "DVID does not accept the post action on the 'blocks' endpoint",
                descriptions.SUBVOLUME_BLOCKS,
                omits_failed=True,
            ),
            "blocks": Endpoint(blocks.block_span, _IMMUTABLE, descriptions.BLOCKS),
            "raw": Endpoint(raw.raw, _IMMUTABLE, descriptions.RAW),
            "isotropic": Endpoint(
                raw.isotropic, "can only POST 'raw' not 'isotropic' images", descriptions.ISOTROPIC
            ),
            "arb": Endpoint(arb.arb, doc=descriptions.ARBITRARY),
            "tile": Endpoint(tile.tile, _IMMUTABLE, descriptions.TILE),
            "rawkey": Endpoint(rawkey.rawkey, doc=descriptions.RAW_KEY),
            "extents": Endpoint(metadata.extents, _IMMUTABLE, descriptions.EXTENTS),
            "resolution": Endpoint(metadata.resolution, _IMMUTABLE, descriptions.RESOLUTION),
            "info": Endpoint(data_info, "info endpoint only supports GET HTTP verb", INFO, is_document=True),
            "metadata": Endpoint(metadata.metadata, doc=descriptions.METADATA, is_document=True),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
