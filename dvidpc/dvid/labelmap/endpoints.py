"""The table of the endpoints of `labelmap`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.labelmap import LABELMAP, LABELMAP_FAMILY, LabelmapData
from dvidpc.dvid.descriptions import HELP, INFO, SYNC, TAGS
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info, data_sync, data_tags
from dvidpc.dvid.imageblk.metadata import answer_metadata, extents, metadata_document, resolution
from dvidpc.dvid.labelmap import (
    blocks,
    coarse_volumes,
    cutouts,
    descriptions,
    indexed_docs,
    label_indexes,
    label_lists,
    mappings,
    points,
    sizes,
    sparse_volumes,
)
from dvidpc.dvid.labelmap.label_requests import indexed
from dvidpc.dvid.labelmap.levels import at_level
from dvidpc.dvid.table import Endpoint, Family

REFUSED: Final = ("fvdb", "index-version", "proximity")
"""Endpoints that read the label index in DVID, and are refused here with and without one."""

INDEXED: Final[Mapping[str, Endpoint[LabelmapData]]] = MappingProxyType(
    {
        "existing-labels": Endpoint(indexed(label_lists.existing_labels), doc=indexed_docs.EXISTING_LABELS),
        "index": Endpoint(indexed(label_indexes.index), doc=indexed_docs.INDEX),
        "indices": Endpoint(indexed(label_indexes.indices), doc=indexed_docs.INDICES),
        "indices-compressed": Endpoint(
            indexed(label_indexes.indices_compressed), doc=indexed_docs.INDICES_COMPRESSED
        ),
        "lastmod": Endpoint(indexed(sizes.lastmod), doc=indexed_docs.LASTMOD),
        "listlabels": Endpoint(indexed(label_lists.list_labels), doc=indexed_docs.LISTLABELS),
        "maxlabel": Endpoint(indexed(sizes.maxlabel), doc=indexed_docs.MAXLABEL),
        "nextlabel": Endpoint(indexed(sizes.nextlabel), doc=indexed_docs.NEXTLABEL),
        "size": Endpoint(indexed(sizes.size), doc=indexed_docs.SIZE),
        "sizes": Endpoint(indexed(sizes.sizes), doc=indexed_docs.SIZES),
        "sparsevol": Endpoint(indexed(sparse_volumes.sparsevol), doc=indexed_docs.SPARSEVOL),
        "sparsevol-by-point": Endpoint(
            indexed(sparse_volumes.sparsevol_by_point), doc=indexed_docs.SPARSEVOL_BY_POINT
        ),
        "sparsevol-coarse": Endpoint(
            indexed(coarse_volumes.coarse_volume), doc=indexed_docs.SPARSEVOL_COARSE
        ),
        "sparsevol-size": Endpoint(indexed(sizes.sparsevol_size), doc=indexed_docs.SPARSEVOL_SIZE),
        "sparsevols-coarse": Endpoint(
            indexed(coarse_volumes.coarse_volumes), doc=indexed_docs.SPARSEVOLS_COARSE
        ),
        "supervoxel-sizes": Endpoint(indexed(sizes.supervoxel_sizes), doc=indexed_docs.SUPERVOXEL_SIZES),
        "supervoxels": Endpoint(indexed(sizes.supervoxels), doc=indexed_docs.SUPERVOXELS_OF),
    }
)
"""Endpoints that need to know where a label lies."""

_HEAD = """\
labelmap: labels of 64 bits for the voxels of a volume, read-only

Coordinates are in voxels of the scale that is asked for, along x, y and z. A block is a cube of 64 voxels.
Block coordinates are voxel coordinates divided by 64. Numbers are little-endian. Label 0 is the background.
"""


async def _metadata(request: web.Request, instance: Instance[LabelmapData]) -> web.StreamResponse:
    """Answer `metadata`: of the finest scale; it says nothing about labels."""
    finest = instance.data.levels[0]
    return answer_metadata(request, metadata_document(finest, finest.properties(instance.store_alias)))


LABELMAP_ENDPOINTS: Final[Family[LabelmapData]] = Family(
    name=LABELMAP_FAMILY,
    types=(LABELMAP.data_type,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "specificblocks": Endpoint(
                at_level(blocks.specific_blocks),
                "DVID does not accept the post action on the 'specificblocks' endpoint",
                doc=descriptions.SPECIFIC_BLOCKS,
                omits_failed=True,
            ),
            "blocks": Endpoint(at_level(blocks.box_of_blocks), doc=descriptions.BLOCKS, omits_failed=True),
            "raw": Endpoint(at_level(cutouts.raw), doc=descriptions.RAW),
            "isotropic": Endpoint(at_level(cutouts.isotropic), doc=descriptions.ISOTROPIC),
            "pseudocolor": Endpoint(at_level(cutouts.pseudocolor), doc=descriptions.PSEUDOCOLOR),
            "label": Endpoint(at_level(points.label), doc=descriptions.LABEL),
            "labels": Endpoint(at_level(points.labels), doc=descriptions.LABELS),
            "mapping": Endpoint(mappings.mapping, doc=descriptions.MAPPING),
            "mappings": Endpoint(mappings.mappings, doc=descriptions.MAPPINGS, is_document=True),
            "supervoxel-splits": Endpoint(
                mappings.supervoxel_splits, doc=descriptions.SUPERVOXEL_SPLITS, is_document=True
            ),
            "mutations": Endpoint(mappings.mutations, doc=descriptions.MUTATIONS, is_document=True),
            "mutations-range": Endpoint(
                mappings.mutations_range, doc=descriptions.MUTATIONS_RANGE, is_document=True
            ),
            "history": Endpoint(mappings.history, doc=descriptions.HISTORY, is_document=True),
            **INDEXED,
            **{
                name: Endpoint(mappings.not_indexed, doc=indexed_docs.REFUSED, is_document=True)
                for name in REFUSED
            },
            "extents": Endpoint(extents, doc=descriptions.EXTENTS),
            "resolution": Endpoint(resolution, doc=descriptions.RESOLUTION),
            "info": Endpoint(data_info, "info endpoint only supports GET HTTP verb", INFO, is_document=True),
            "metadata": Endpoint(_metadata, doc=descriptions.METADATA, is_document=True),
            "tags": Endpoint(data_tags, doc=TAGS, is_document=True),
            "sync": Endpoint(data_sync, doc=SYNC),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
