"""The table of the endpoints of `annotation`."""

from types import MappingProxyType
from typing import Final

from dvidpc.data.annotation import ANNOTATION, ANNOTATION_FAMILY, AnnotationData
from dvidpc.dvid.annotation import descriptions, elements, refusals
from dvidpc.dvid.descriptions import HELP, SYNC
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info, data_sync, data_tags
from dvidpc.dvid.table import Endpoint, Family

_HEAD = """\
annotation: elements at positions, such as synapses, read-only

Positions are in voxels, along x, y and z. An element has Pos, Kind (PreSyn, PostSyn, Gap or Note), Tags, Prop
and Rels. A line of the collection is two elements that are related.
"""
_ONLY_POST: Final[Endpoint[AnnotationData]] = Endpoint(
    refusals.only("POST"), doc=descriptions.WRITE_ONLY, is_document=True
)

ANNOTATION_ENDPOINTS: Final[Family[AnnotationData]] = Family(
    name=ANNOTATION_FAMILY,
    types=(ANNOTATION,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "elements": Endpoint(elements.elements, doc=descriptions.ELEMENTS),
            "blocks": Endpoint(elements.blocks, doc=descriptions.BLOCKS),
            "all-elements": Endpoint(elements.all_elements, doc=descriptions.ALL_ELEMENTS),
            "label": Endpoint(elements.label, doc=descriptions.LABEL),
            "tag": Endpoint(elements.tag, doc=descriptions.TAG),
            "roi": Endpoint(refusals.roi, doc=descriptions.ROI, is_document=True),
            "scan": Endpoint(refusals.scan, doc=descriptions.SCAN, is_document=True),
            "element": Endpoint(refusals.only("DELETE"), doc=descriptions.WRITE_ONLY, is_document=True),
            "labels": _ONLY_POST,
            "move": _ONLY_POST,
            "reload": _ONLY_POST,
            "tags": Endpoint(data_tags, doc=descriptions.TAGS, is_document=True),
            "sync": Endpoint(data_sync, doc=SYNC),
            "info": Endpoint(data_info, doc=descriptions.INFO, is_document=True),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
