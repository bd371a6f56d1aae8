"""Neuroglancer's precomputed format as a `SourceFormat`: DVID's engine `ngprecomputed`."""

from typing import TYPE_CHECKING

from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import Lister, ObjectStore

if TYPE_CHECKING:
    from dvidpc.sources.counting import Nearby


class Precomputed:
    """The format; it has no state."""

    async def load(self, store: ObjectStore, directory: str) -> Metadata:
        """As `SourceFormat.load`: the `info` file, redirects followed."""
        return await find_info(store, directory)

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> "Nearby | None":
        """As `SourceFormat.find_nearby`."""
        from dvidpc.sources.precomputed.nearby import find_nearby  # noqa: PLC0415 - only where nothing is found

        return await find_nearby(store, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        return plan_volume(metadata, settings)
