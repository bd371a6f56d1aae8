"""The endpoints that describe an instance of the types that hold values by key."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dvidpc.data.instance import Data
from dvidpc.dvid.descriptions import HELP, INFO, TAGS
from dvidpc.dvid.documents.manual import help_of_data
from dvidpc.dvid.documents.repo_endpoints import data_info, data_tags
from dvidpc.dvid.table import Endpoint

KEYED_DOCUMENTS: Final[Mapping[str, Endpoint[Data]]] = MappingProxyType(
    {
        "tags": Endpoint(data_tags, doc=TAGS, is_document=True),
        "info": Endpoint(data_info, doc=INFO, is_document=True),
        "help": Endpoint(help_of_data, doc=HELP, is_document=True),
    }
)
