"""zarr and N5 as `SourceFormat`s: the engines `zarr` and `n5`."""

from dataclasses import dataclass

from dvidpc.errors import NoMetadataError
from dvidpc.formats.arrays.dialects import ArrayFormat
from dvidpc.sources.arrays.array_documents import read_documents
from dvidpc.sources.arrays.array_planning import plan_arrays
from dvidpc.sources.arrays.array_vicinity import find_array_nearby
from dvidpc.sources.counting import Nearby
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.recognition import with_other_format
from dvidpc.storage.base import Lister, ObjectStore


@dataclass(frozen=True, slots=True)
class Arrays:
    """One of the two families of formats; it has no state."""

    kind: ArrayFormat

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        """As `SourceFormat.load`: all documents that describe the volume, as one bundle."""
        try:
            return await read_documents(store, settings, self.kind)
        except NoMetadataError as error:
            raise await with_other_format(error, store, settings) from error

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> Nearby | None:
        """As `SourceFormat.find_nearby`."""
        return await find_array_nearby(store, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        return plan_arrays(metadata, settings, self.kind)
