"""DVID's type `annotation`, and `labelsz` that counts annotations, with the data of their instances."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeGuard

from dvidpc.data.instance import Data, DataType, Instance
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_settings import Kind
from dvidpc.names import Companion

if TYPE_CHECKING:
    from dvidpc.data.label_ranks import LabelRanks
    from dvidpc.sources.collection_plan import CollectionPlan, FramedCollection

ANNOTATION_FAMILY: Final = "annotation"
ANNOTATION: Final = DataType(
    "annotation", "0.1", "github.com/janelia-flyem/dvid/datatype/annotation", ANNOTATION_FAMILY
)
LABELSZ_FAMILY: Final = "labelsz"
LABELSZ: Final = DataType("labelsz", "0.1", "github.com/janelia-flyem/dvid/datatype/labelsz", LABELSZ_FAMILY)
ANNOTATION_COMPRESSION: Final = "LZ4 compression, level -1"
"""`Base.Compression` of both types: DVID's default.  (datastore/datainstance.go:601, 3400c2cb)"""

_LARGE_BLOCK: Final = [512, 512, 512]
"""The `BlockSize` in `Base.Tags`, so that clients ask for fewer blocks than if they had 64 voxels a side."""


class Elements(Protocol):
    """Answers questions about a collection as DVID's JSON. Any task may call it; calls may overlap.

    Raises:
        FormatError: Stored bytes are malformed; the message names the object.
        RequestError: The answer would exceed a limit; the message names it.
        StoreError: The bucket failed, so that it is not known what there is.
    """

    async def elements(self, box: Box, /) -> bytes:
        """Return the elements whose voxels lie in *box*, as a list; `null` if there are none."""

    async def blocks(self, box: Box, /) -> bytes:
        """Return the elements of every block of 64 voxels that *box* touches, by block coordinate."""

    async def all_elements(self) -> AsyncIterator[bytes]:
        """Read everything; return the parts of an answer as `blocks` gives, which cannot fail any more."""

    async def label(self, label: int, /, *, with_relationships: bool) -> bytes:
        """Return the elements in a segment, as a list, which may be empty; *label* is not 0."""

    async def tag(self, tag: str, /, *, with_relationships: bool) -> bytes:
        """Return the elements that have a tag, as a list, which may be empty."""

    async def count(self, label: int, kind: Kind | None, /) -> int:
        """Return how many elements of a kind are in a segment; None: of all synapses."""

    async def total(self) -> int | None:
        """Return how many annotations there are; None if too many cells would have to be read."""

    async def probe(self) -> None:
        """Read a list, to find out whether the collection can be read."""

    def forget(self) -> None:
        """Drop all that is cached."""


@dataclass(frozen=True, slots=True)
class AnnotationData:
    """A collection of annotations: a `Data` of the type `annotation`."""

    source: Elements
    plan: "CollectionPlan"
    """What is stored, and what was decided about it."""
    bounds: Box | None
    """Which voxels it lies in; None if that is not known."""

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return ANNOTATION

    @property
    def compression(self) -> str:
        """As `Data.compression`."""
        return ANNOTATION_COMPRESSION

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return Companion.ANNOTATIONS.value

    @property
    def framed(self) -> "FramedCollection":
        """What was decided about it."""
        assert self.plan.framed is not None
        return self.plan.framed

    @property
    def syncs(self) -> tuple[str, ...]:
        """As `Synced.syncs`: the segmentation, from which clients take extents and voxel size."""
        sync = self.framed.frame.sync
        return () if sync is None else (sync,)

    @property
    def tags(self) -> Mapping[str, str]:
        """As `Synced.tags`: extents and voxel size, so that Janelia's neuroglancer needs no segmentation.

        Each value is JSON in a string. `MaxPoint` is the last voxel.
        """
        tags: dict[str, JsonValue] = {"BlockSize": _LARGE_BLOCK, "MaxDownresLevel": 0}
        if self.bounds is not None:
            tags["MinPoint"] = list(self.bounds.start)
            tags["MaxPoint"] = [stop - 1 for stop in self.bounds.stop]
        if self.framed.roles.voxel_size_nm is not None:
            tags["VoxelSize"] = list(self.framed.roles.voxel_size_nm)
        return {name: encode(value).decode() for name, value in tags.items()}

    def members(self, _store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        return {"Extended": {}}

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        return f"gridstore:{store_alias} versioned:true"

    def forget(self) -> None:
        """As `Data.forget`."""
        self.source.forget()


@dataclass(frozen=True, slots=True)
class LabelszData:
    """The number of annotations of each segment: a `Data` of the type `labelsz`."""

    source: Elements
    ranks: "LabelRanks"
    annotations: str
    """The name of the instance whose annotations it counts."""

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return LABELSZ

    @property
    def compression(self) -> str:
        """As `Data.compression`."""
        return ANNOTATION_COMPRESSION

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return "counts of annotations"

    @property
    def syncs(self) -> tuple[str, ...]:
        """As `Synced.syncs`: the annotations."""
        return (self.annotations,)

    @property
    def tags(self) -> Mapping[str, str]:
        """As `Synced.tags`: none."""
        return {}

    def members(self, _store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        return {"Extended": {"StaticROI": ""}}

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        return f"gridstore:{store_alias} versioned:true"

    def forget(self) -> None:
        """As `Data.forget`."""
        self.ranks.forget()


def is_annotation(instance: Instance[Data]) -> TypeGuard[Instance[AnnotationData]]:
    """Whether an instance is a collection of annotations."""
    return isinstance(instance.data, AnnotationData)
