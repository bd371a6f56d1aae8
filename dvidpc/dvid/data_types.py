"""Which types of data there are: one line for each family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.table import Family

FAMILIES: Final[Mapping[str, Family[Any]]] = MappingProxyType({family.name: family for family in (IMAGEBLK,)})
"""By the name that `DataType.family` holds."""
