"""The table of the endpoints of `labelsz`."""

from types import MappingProxyType
from typing import Final

from dvidpc.data.annotation import LABELSZ, LABELSZ_FAMILY, LabelszData
from dvidpc.dvid.annotation.descriptions import WRITE_ONLY
from dvidpc.dvid.annotation.refusals import only
from dvidpc.dvid.descriptions import HELP, SYNC, TAGS
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info, data_sync, data_tags
from dvidpc.dvid.labelsz import counts, descriptions
from dvidpc.dvid.table import Endpoint, Family

_HEAD = """\
labelsz: how many elements, such as synapses, a segment has, read-only

Elements at one position are counted once. The annotations are those of the instance in Syncs.
"""

LABELSZ_ENDPOINTS: Final[Family[LabelszData]] = Family(
    name=LABELSZ_FAMILY,
    types=(LABELSZ,),
    introduce=lambda _type_name: _HEAD,
    endpoints=MappingProxyType(
        {
            "count": Endpoint(counts.count, doc=descriptions.COUNT),
            "counts": Endpoint(counts.counts, doc=descriptions.COUNTS),
            "top": Endpoint(counts.top, doc=descriptions.TOP),
            "threshold": Endpoint(counts.threshold, doc=descriptions.THRESHOLD),
            "reload": Endpoint(only("POST"), doc=WRITE_ONLY, is_document=True),
            "tags": Endpoint(data_tags, doc=TAGS, is_document=True),
            "sync": Endpoint(data_sync, doc=SYNC),
            "info": Endpoint(data_info, doc=descriptions.INFO, is_document=True),
            "help": Endpoint(help_of_data, doc=HELP, is_document=True),
        }
    ),
)
