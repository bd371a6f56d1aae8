"""What the configuration says of an annotation collection, and DVID's words for elements."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, TypeAlias

VoxelSize: TypeAlias = tuple[float, float, float]
"""The extent of a voxel along x, y and z, in nm."""


class Kind(StrEnum):
    """The `Kind` of an element, in the order in which DVID sorts those on one voxel."""

    UNKNOWN = "Unknown"
    POST_SYN = "PostSyn"
    PRE_SYN = "PreSyn"
    GAP = "Gap"
    NOTE = "Note"


KINDS: Final = tuple(Kind)
"""All kinds, by the number that sorts them."""


class End(IntEnum):
    """Which position of an annotation: of a line A or B, of all others A."""

    A = 0
    B = 1


class MemberName(NamedTuple):
    """How a property is shown in `Prop`."""

    name: str
    """Its key; empty: it is left out."""
    end: End | None = None
    """The end whose elements show it; None: as the property's own name says."""


class KindProperty(NamedTuple):
    """Kinds are taken from the words of an enumeration."""

    property: str
    """Its id."""


@dataclass(frozen=True, slots=True)
class AnnotationSettings:
    """The keys of a store that only annotations have; the defaults are those of the configuration."""

    voxel_size_nm: VoxelSize | None = None
    """`voxel_size`; None: that of the segmentation or image that the instance belongs to."""
    kinds: tuple[Kind, Kind] | KindProperty | None = None
    """`kind`: of the ends A and B of a line, twice the same for other types; None: by convention."""
    bodies: tuple[tuple[str, End], ...] | None = None
    """`bodies`: relationships to segments, and the end that lies in the segment; None: by convention."""
    tags: tuple[tuple[str, str], ...] = ()
    """`tags`: properties, and the text of the tag, in which `{}` stands for the property's value."""
    props: tuple[tuple[str, MemberName], ...] = ()
    """`props`: properties that are not shown by convention, and how they are."""
    margin: tuple[float, float, float] | None = None
    """`margin` along x, y and z in units of the dimensions: how far an annotation may lie from the cell that
    lists it; None, `"auto"`: measured."""
