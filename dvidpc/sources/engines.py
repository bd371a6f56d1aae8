"""Which formats of volumes there are, by the `engine` of a store: one line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.engine import Precomputed
from dvidpc.storage.base import ObjectStore


class SourceFormat(Protocol):
    """One format of volumes; registered in `engines.ENGINES`."""

    async def load(self, store: ObjectStore, directory: str) -> Metadata:
        """Read what describes the volume below *directory*.

        Raises:
            FormatError: There is none, or it sends its reader nowhere.
            StoreError: The bucket failed.
        """

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """Decide how the volume is served; pure.

        Raises:
            FormatError: The metadata cannot be understood, or no scale can be served.
        """


ENGINES: Final[Mapping[str, SourceFormat]] = MappingProxyType({"ngprecomputed": Precomputed()})
