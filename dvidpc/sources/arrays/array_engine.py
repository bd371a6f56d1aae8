"""zarr and N5 as `SourceFormat`s: the engines `zarr` and `n5`."""

# ruff: noqa: PLC0415  # what arrays need is imported when the first one is opened

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvidpc.errors import NoMetadataError
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.storage.base import Lister, ObjectStore

if TYPE_CHECKING:
    from dvidpc.sources.counting import Nearby


@dataclass(frozen=True, slots=True)
class Arrays:
    """One of the two families of formats; it has no state."""

    engine: str
    """`zarr` or `n5`."""

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        """As `SourceFormat.load`: all documents that describe the volume, as one bundle."""
        from dvidpc.formats.arrays.dialects import ArrayFormat
        from dvidpc.sources.arrays.array_documents import read_documents

        try:
            return await read_documents(store, settings, ArrayFormat(self.engine))
        except NoMetadataError as error:
            from dvidpc.sources.recognition import with_other_format

            raise await with_other_format(error, store, settings) from error

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> "Nearby | None":
        """As `SourceFormat.find_nearby`."""
        from dvidpc.sources.arrays.array_vicinity import find_array_nearby

        return await find_array_nearby(store, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """As `SourceFormat.plan`."""
        from dvidpc.formats.arrays.dialects import ArrayFormat
        from dvidpc.sources.arrays.array_planning import plan_arrays

        return plan_arrays(metadata, settings, ArrayFormat(self.engine))
