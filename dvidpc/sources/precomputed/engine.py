"""Neuroglancer's precomputed format as a `SourceFormat`: DVID's engine `ngprecomputed`."""

# ruff: noqa: PLC0415  # what is needed only where nothing is found is imported then

from typing import TYPE_CHECKING

from dvidpc.errors import NoMetadataError
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import Lister, ObjectStore

if TYPE_CHECKING:
    from dvidpc.sources.counting import Nearby


class Precomputed:
    """The format; it has no state."""

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        """As `SourceFormat.load`: the `info` file, redirects followed."""
        try:
            return await find_info(store, settings.directory)
        except NoMetadataError as error:
            from dvidpc.sources.recognition import with_other_format

            raise await with_other_format(error, store, settings) from error

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> "Nearby | None":
        """As `SourceFormat.find_nearby`."""
        from dvidpc.sources.precomputed.nearby import find_nearby

        return await find_nearby(store, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        return plan_volume(metadata, settings)
