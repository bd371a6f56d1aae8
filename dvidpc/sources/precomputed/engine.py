"""Neuroglancer's precomputed format as a `SourceFormat`: DVID's engine `ngprecomputed`."""

from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import ObjectStore


class Precomputed:
    """The format; it has no state."""

    async def load(self, store: ObjectStore, directory: str) -> Metadata:
        """As `SourceFormat.load`: the `info` file, redirects followed."""
        return await find_info(store, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        return plan_volume(metadata, settings)
