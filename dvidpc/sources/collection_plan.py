"""How a collection of annotations is served: what its `info`, the configuration and other volumes decide."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dvidpc.formats.precomputed.annotation_info import Collection
from dvidpc.formats.precomputed.annotation_roles import Roles, decide_roles
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.voxel_frame import VoxelFrame

if TYPE_CHECKING:
    from dvidpc.sources.plan import Metadata


@dataclass(frozen=True, slots=True)
class FramedCollection:
    """What is decided of a collection once it is known whose voxels its positions count in."""

    frame: VoxelFrame
    roles: Roles


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """Everything that is decided about a collection."""

    collection: Collection
    metadata: "Metadata"
    """Its `info`, and where it lies."""
    framed: FramedCollection | None = None
    """None: the other volumes have not been looked at yet."""

    def within(self, frame: VoxelFrame, settings: AnnotationSettings, place: str) -> "CollectionPlan":
        """Return the plan with *frame*; *place* names the store in messages.

        Raises:
            ConfigError: The settings name what the collection lacks, or its units are no lengths.
        """
        roles = decide_roles(self.collection, settings, frame.voxel_size_nm, place)
        return replace(self, framed=FramedCollection(frame, roles))

    @property
    def counts_labels(self) -> bool:
        """Whether the annotations of a segment can be found, and so counted."""
        return self.framed is not None and bool(self.framed.roles.bodies)

    @property
    def explanation(self) -> tuple[str, ...]:
        """What was decided and why, in lines for the log; only what is stored, if nothing was decided yet."""
        if self.framed is None:
            return (self.description,)
        return self.description, self.framed.frame.explanation, *self.framed.roles.explanation

    @property
    def description(self) -> str:
        """What is stored, in full, for `dvidpc check`."""
        kind = self.collection.annotation_type.value.replace("_", " ")
        levels = self.collection.levels
        cells = sum(level.num_cells for level in levels)
        properties = ", ".join(each.id for each in self.collection.properties) or "none"
        related = ", ".join(each.id for each in self.collection.relationships) or "none"
        return (
            f"annotations of type {kind}, {cells} cells on {len(levels)} spatial level(s), "
            f"properties: {properties}, relationships: {related}"
        )
