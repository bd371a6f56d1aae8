"""Neuroglancer's precomputed format as a `SourceFormat`: DVID's engine `ngprecomputed`."""

# ruff: noqa: PLC0415  # what only a missing volume or annotations need is imported when there are some

from typing import TYPE_CHECKING, Final

from dvidpc.errors import NoMetadataError
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import Lister, ObjectStore

if TYPE_CHECKING:
    from dvidpc.sources.counting import Nearby

_MARK: Final = b"neuroglancer_annotations_v1"
"""Part of the `info` of every collection of annotations, in any case."""


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
        if _MARK in metadata.data.lower():
            from dvidpc.formats.precomputed.annotation_info import is_annotation_info
            from dvidpc.sources.precomputed.collection_planning import plan_collection

            if is_annotation_info(metadata.data):
                return plan_collection(metadata, settings)
        return plan_volume(metadata, settings)
