"""Decides what annotations become as DVID's elements, from their `info` and the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from dvidpc.errors import ConfigError
from dvidpc.formats.lattice import Placement
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Collection
from dvidpc.formats.precomputed.annotation_members import Member, TagSource, decide_members, decide_tags
from dvidpc.formats.precomputed.annotation_names import (
    is_body,
    is_site,
    kind_of_label,
    side_of_property,
    side_of_relationship,
)
from dvidpc.formats.precomputed.annotation_placement import decide_placement, describe_placement
from dvidpc.formats.precomputed.annotation_properties import Property
from dvidpc.formats.precomputed.annotation_settings import (
    AnnotationSettings,
    End,
    Kind,
    KindProperty,
    VoxelSize,
)

_KIND_PROPERTIES: Final = ("kind", "type")
_SYNAPSE: Final = (Kind.PRE_SYN, Kind.POST_SYN)
_NOTES: Final = (Kind.NOTE, Kind.NOTE)


class Body(NamedTuple):
    """A relationship to segments."""

    relationship: int
    """Position in the collection's relationships."""
    end: End
    """Which end of the related annotations lies in the segment."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which `Kind` elements have."""

    of_ends: tuple[Kind, Kind]
    """Of A and B, unless the property says otherwise."""
    property: str | None = None
    """The id of an enumeration; None: all annotations are of one kind."""
    by_label: tuple[tuple[str, Kind], ...] = ()
    """The words of the enumeration that make all ends of another kind."""

    def end_of(self, side: str) -> End:
        """Return the end on the side `pre` or `post`; without synapses A is `pre`, by convention."""
        is_swapped = self.of_ends == _SYNAPSE[::-1]
        return End.A if (side == "pre") is not is_swapped else End.B


@dataclass(frozen=True, slots=True)
class Roles:
    """What everything in a collection is."""

    annotation_type: AnnotationType
    placement: Placement
    voxel_size_nm: VoxelSize
    """The extent of the voxels that positions are given in."""
    kinds: Kinds
    bodies: tuple[Body, ...]
    """Empty: `label` cannot be answered."""
    members: tuple[Member, ...]
    """What `Prop` holds, sorted by name."""
    tags: tuple[TagSource, ...]
    margin: tuple[float, float, float] | None
    """How far an annotation may lie from the cell that lists it, along the stored axes in their units;
    None: it is to be measured."""
    explanation: tuple[str, ...]
    """What was decided and why, in lines for the log."""
    warnings: tuple[str, ...]
    """What an operator should check."""


def decide_roles(
    collection: Collection, settings: AnnotationSettings, synced_nm: VoxelSize | None, place: str
) -> Roles:
    """Decide everything that the `info` leaves to convention.

    Args:
        collection: The parsed `info`.
        settings: The store's keys.
        synced_nm: The voxel size of the segmentation or image that the instance belongs to; None: it belongs
            to none. `voxel_size` of the settings has precedence.
        place: The store as messages name it: `[store.<alias>]`.

    Raises:
        ConfigError: The settings name what the collection lacks, or a voxel size is needed and not known.
    """
    placement, voxel_size = decide_placement(collection.dimensions, synced_nm, settings, place)
    kinds = _decide_kinds(collection, settings, place)
    bodies = _decide_bodies(collection, settings, kinds, place)
    ends = _ends_of_properties(collection, kinds)
    members, notes = decide_members(collection, settings, ends, place)
    tags = decide_tags(collection, settings, ends, place)
    margin = None
    if settings.margin is not None:
        stored = dict(zip(placement.axes, settings.margin, strict=True))
        margin = (stored[0], stored[1], stored[2])
    explanation = (
        describe_placement(collection.dimensions, placement, voxel_size),
        _describe_kinds(collection.annotation_type, kinds),
        _describe_bodies(collection, bodies),
        *_describe_members(collection.annotation_type, members, tags),
    )
    return Roles(
        collection.annotation_type,
        placement,
        voxel_size,
        kinds,
        bodies,
        members,
        tags,
        margin,
        explanation,
        (*collection.warnings, *notes),
    )


def find_kind_property(properties: Sequence[Property]) -> Property | None:
    """Return the enumeration that tells the kinds of points; None if there is none.

    It is the one called `kind` or `type`, if one of its labels means a kind; or else the first of which all
    labels do.
    """
    meanings = {each.id: [kind_of_label(label) for _, label in each.labels] for each in properties}
    for each in properties:
        if each.id in _KIND_PROPERTIES and any(meanings[each.id]):
            return each
    return next((each for each in properties if meanings[each.id] and all(meanings[each.id])), None)


def _decide_kinds(collection: Collection, settings: AnnotationSettings, place: str) -> Kinds:
    configured = settings.kinds
    is_line = collection.annotation_type is AnnotationType.LINE
    if isinstance(configured, tuple) and not isinstance(configured, KindProperty):
        return Kinds(configured)
    if isinstance(configured, KindProperty):
        prop = next((each for each in collection.properties if each.id == configured.property), None)
        if prop is None or not prop.labels:
            words = ", ".join(each.id for each in collection.properties if each.labels) or "none"
            raise ConfigError(
                f'{place} kind: there is no enumeration "{configured.property}"; there are {words}'
            )
    else:
        is_point = collection.annotation_type is AnnotationType.POINT
        prop = find_kind_property(collection.properties) if is_point else None
    of_ends = _SYNAPSE if is_line and _has_both_sides(collection, settings) else _NOTES
    if prop is None:
        return Kinds(of_ends)
    meant = [(label, kind_of_label(label)) for _, label in prop.labels]
    by_label = tuple(
        (label, kind)
        for label, kind in meant
        if kind is not None
        and (kind is Kind.GAP or not is_line)  # a line's other kinds are those of its ends
    )
    return Kinds(of_ends, prop.id, by_label)


def _has_both_sides(collection: Collection, settings: AnnotationSettings) -> bool:
    """Return whether relationships or properties describe both sides of a connection."""
    sides = {side_of_relationship(each.id) for each in collection.relationships}
    for each in collection.properties:
        if (sided := side_of_property(each.id)) is not None:
            sides.add(sided.side)
    configured = {end for _, end in settings.bodies or ()}
    return {"pre", "post"} <= sides or len(configured) == len(End)


def _decide_bodies(
    collection: Collection, settings: AnnotationSettings, kinds: Kinds, place: str
) -> tuple[Body, ...]:
    names = [each.id for each in collection.relationships]
    if settings.bodies is not None:
        return tuple(_configured_body(name, end, collection, place) for name, end in settings.bodies)
    if collection.annotation_type is AnnotationType.LINE:
        sides = [(number, side_of_relationship(name)) for number, name in enumerate(names)]
        return tuple(Body(number, kinds.end_of(side)) for number, side in sides if side is not None)
    bodies = tuple(Body(number, End.A) for number, name in enumerate(names) if is_body(name))
    is_only = len(names) == 1 and not is_site(names[0])
    return bodies or ((Body(0, End.A),) if is_only else ())


def _configured_body(name: str, end: End, collection: Collection, place: str) -> Body:
    names = [each.id for each in collection.relationships]
    if name not in names:
        raise ConfigError(
            f'{place} bodies: there is no relationship "{name}"; there are {", ".join(names) or "none"}'
        )
    if end >= collection.annotation_type.num_ends:
        raise ConfigError(f"{place} bodies: {name} is to lie at end b, which only lines have")
    return Body(names.index(name), end)


def _ends_of_properties(collection: Collection, kinds: Kinds) -> Mapping[str, End]:
    """Return the end that each property of one side of a connection describes."""
    if collection.annotation_type is not AnnotationType.LINE:
        return {}
    sided = [(each.id, side_of_property(each.id)) for each in collection.properties]
    return {name: kinds.end_of(found.side) for name, found in sided if found is not None}


def _describe_kinds(annotation_type: AnnotationType, kinds: Kinds) -> str:
    a, b = kinds.of_ends
    said = f"{annotation_type}: " + (
        f"A is {a}, B is {b}" if annotation_type.num_ends > 1 else f"kind is {a}"
    )
    if kinds.property is None:
        return said
    words = ", ".join(f"{label!r} is {kind}" for label, kind in kinds.by_label) or "nothing"
    return f"{said}, unless {kinds.property} says otherwise: {words}"


def _describe_bodies(collection: Collection, bodies: Sequence[Body]) -> str:
    names = [each.id for each in collection.relationships]
    if not bodies:
        reason = f"none of {', '.join(names)} is known to be one to segments" if names else "there are none"
        return f"relationships: {reason}; label is not answered (bodies)"
    parts = [f"{names[body.relationship]} holds {body.end.name}" for body in bodies]
    return f"relationships: {', '.join(parts)}"


def _describe_members(
    annotation_type: AnnotationType, members: Sequence[Member], tags: Sequence[TagSource]
) -> tuple[str, str]:
    def at(end: End | None) -> str:
        return f" at {end.name}" if end is not None and annotation_type.num_ends > 1 else ""

    shown = [
        f"{each.name}{at(each.end)}" + (f" (of {each.property})" if each.name != each.property else "")
        for each in members
    ]
    made = [f'"{each.template}" of {each.property}{at(each.end)}' for each in tags]
    return f"Prop: {', '.join(shown) or 'none'}", f"Tags: {', '.join(made) or 'none'}"
