"""The registry of data types: one entry per family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.table import Family

FAMILIES: Final[Mapping[str, Family[Any]]] = MappingProxyType({family.name: family for family in (IMAGEBLK,)})
"""Families by name, which is the value of `DataType.family`."""
