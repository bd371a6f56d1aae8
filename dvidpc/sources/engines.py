"""Which formats there are, by the `engine` of a store: one line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dvidpc.sources.base import SourceFormat
from dvidpc.sources.precomputed.engine import Precomputed

ENGINES: Final[Mapping[str, SourceFormat]] = MappingProxyType({"ngprecomputed": Precomputed()})
