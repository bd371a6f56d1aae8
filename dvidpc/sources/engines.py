"""Which formats of volumes there are, by the `engine` of a store: one line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from dvidpc.sources.arrays.array_engine import Arrays
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.engine import Precomputed
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.ref_formats import N5, PRECOMPUTED, ZARR

if TYPE_CHECKING:
    from dvidpc.sources.counting import Nearby


class SourceFormat(Protocol):
    """One format of volumes; registered in `engines.ENGINES`."""

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        """Read what describes the volume that *settings* name.

        Raises:
            NoMetadataError: There is none.
            FormatError: It breaks the format, or sends its reader nowhere.
            StoreError: The bucket failed.
        """

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> "Nearby | None":
        """Return what is near *directory*, where `load` found no metadata; None if nothing can be said.

        Raises:
            StoreError: The bucket failed, or refused to be listed.
        """

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """Decide how the volume is served; pure.

        Raises:
            ConfigError: The settings do not fit the volume.
            FormatError: The metadata cannot be understood, or no scale can be served.
        """


ENGINES: Final[Mapping[str, SourceFormat]] = MappingProxyType(
    {PRECOMPUTED: Precomputed(), ZARR: Arrays(ZARR), N5: Arrays(N5)}
)
