"""Neuroglancer's precomputed format as a `SourceFormat`: DVID's engine `ngprecomputed`."""

from dvidpc.formats.precomputed.annotation_info import is_annotation_info
from dvidpc.sources.counting import Nearby
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.collection_planning import plan_collection
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.nearby import find_nearby
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import Lister, ObjectStore


class Precomputed:
    """The format; it has no state."""

    async def load(self, store: ObjectStore, directory: str) -> Metadata:
        """As `SourceFormat.load`: the `info` file, redirects followed."""
        return await find_info(store, directory)

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> Nearby | None:
        """As `SourceFormat.find_nearby`."""
        return await find_nearby(store, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        plan = plan_collection if is_annotation_info(metadata.data) else plan_volume
        return plan(metadata, settings)
