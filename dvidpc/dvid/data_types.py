"""The registry of data types: one entry per family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dvidpc.dvid.annotation.endpoints import ANNOTATION_ENDPOINTS
from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.keyvalue.endpoints import KEYVALUE_ENDPOINTS
from dvidpc.dvid.labelblk.endpoints import LABELBLK_ENDPOINTS
from dvidpc.dvid.labelmap.endpoints import LABELMAP_ENDPOINTS
from dvidpc.dvid.labelsz.endpoints import LABELSZ_ENDPOINTS
from dvidpc.dvid.neuronjson.endpoints import NEURONJSON_ENDPOINTS
from dvidpc.dvid.table import Family

_FAMILIES: Final[tuple[Family[Any], ...]] = (
    IMAGEBLK,
    LABELBLK_ENDPOINTS,
    LABELMAP_ENDPOINTS,
    KEYVALUE_ENDPOINTS,
    NEURONJSON_ENDPOINTS,
    ANNOTATION_ENDPOINTS,
    LABELSZ_ENDPOINTS,
)

FAMILIES: Final[Mapping[str, Family[Any]]] = MappingProxyType({family.name: family for family in _FAMILIES})
"""Families by name, which is the value of `DataType.family`."""
