"""The table of the endpoints of `labelblk`. They answer as those of `labelmap` do, from one scale each."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.data.labelmap import LABELBLK, LABELBLK_FAMILY
from dvidpc.dvid.descriptions import HELP, INFO, SYNC, TAGS
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info, data_sync, data_tags
from dvidpc.dvid.imageblk.metadata import metadata
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.labelmap import blocks, cutouts, descriptions, points
from dvidpc.dvid.labelmap.levels import LabelHandler
from dvidpc.dvid.table import Endpoint, Family

_HEAD = """\
labelblk: labels of 64 bits for the voxels of one scale of a volume, read-only

Coordinates are in voxels, along x, y and z. A block is a cube of 64 voxels. Block coordinates are voxel
coordinates divided by 64. Numbers are little-endian. Label 0 is the background.
"""


def _scaled(handler: LabelHandler) -> LabelHandler:
    """Return *handler* for the instance that is `scale=N` scales coarser."""

    async def answer(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
        return await handler(request, at_scale(request, instance))

    return answer


LABELBLK_ENDPOINTS: Final[Family[ImageData]] = Family(
    name=LABELBLK_FAMILY,
    types=(LABELBLK.data_type,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "blocks": Endpoint(_scaled(blocks.box_of_blocks), doc=descriptions.BLOCKS, omits_failed=True),
            "raw": Endpoint(_scaled(cutouts.raw), doc=descriptions.RAW),
            "isotropic": Endpoint(_scaled(cutouts.isotropic), doc=descriptions.ISOTROPIC),
            "pseudocolor": Endpoint(_scaled(cutouts.pseudocolor), doc=descriptions.PSEUDOCOLOR),
            "label": Endpoint(_scaled(points.label), doc=descriptions.LABEL),
            "info": Endpoint(data_info, "info endpoint only supports GET HTTP verb", INFO, is_document=True),
            "metadata": Endpoint(metadata, doc=descriptions.METADATA, is_document=True),
            "tags": Endpoint(data_tags, doc=TAGS, is_document=True),
            "sync": Endpoint(data_sync, doc=SYNC),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
