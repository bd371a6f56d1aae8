"""Decides which properties become members of an element's `Prop`, and which become its tags."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from dvidpc.errors import ConfigError
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Collection
from dvidpc.formats.precomputed.annotation_names import side_of_property
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings, End, MemberName

GEOMETRY_MEMBERS: Final[Mapping[AnnotationType, tuple[str, ...]]] = MappingProxyType(
    {
        AnnotationType.POINT: (),
        AnnotationType.LINE: (),
        AnnotationType.BOX: ("max", "min"),
        AnnotationType.ELLIPSOID: ("radii",),
        AnnotationType.POLYLINE: ("points",),
    }
)
"""Members of `Prop` that say what the one position of an element does not, by type."""


class Member(NamedTuple):
    """A property that is shown in `Prop`."""

    name: str
    """The key."""
    property: str
    """Its id."""
    end: End | None
    """The end whose elements show it; None: both."""


class TagSource(NamedTuple):
    """A property whose values become tags."""

    property: str
    """Its id."""
    template: str
    """The text of the tag; `{}` stands for the value."""
    end: End | None
    """The end whose elements have the tag; None: both."""


class Decided(NamedTuple):
    """The members of `Prop`, and what an operator should know about them."""

    members: tuple[Member, ...]
    """Sorted by name."""
    notes: tuple[str, ...]


def decide_members(
    collection: Collection, settings: AnnotationSettings, ends: Mapping[str, End], place: str
) -> Decided:
    """Decide how each property is shown: as configured, or else by the convention of its name.

    A name is used once per end. Configured names come first, then those of properties of one side, which lose
    their `pre` or `post`. A property of the connection gives way at an end where its name is taken.

    Args:
        collection: The parsed `info`.
        settings: The store's keys.
        ends: The end that each property of one side describes.
        place: The store as messages name it.

    Raises:
        ConfigError: A configured property does not exist, or a configured name is used twice.
    """
    num_ends = collection.annotation_type.num_ends
    configured = dict(settings.props)
    _check_properties(collection, configured, "props", place)
    taken = {(name, End.A) for name in GEOMETRY_MEMBERS[collection.annotation_type]}
    members: list[Member] = []
    notes: list[str] = []

    def take(name: str, prop: str, wanted: Sequence[End]) -> bool:
        free = [end for end in wanted if (name, end) not in taken]
        taken.update((name, end) for end in free)
        if free:
            members.append(Member(name, prop, None if len(free) == num_ends else free[0]))
        return len(free) == len(wanted)

    for prop, shown in configured.items():
        wanted = _ends_of(prop, shown, ends, num_ends, place)
        if shown.name and not take(shown.name, prop, wanted):
            raise ConfigError(f'{place} props: {prop} is to be shown as "{shown.name}", which is taken')
    rest = [each.id for each in collection.properties if each.id not in configured]
    for prop in [each for each in rest if each in ends]:
        sided = side_of_property(prop)
        assert sided is not None
        if not take(sided.base, prop, [ends[prop]]) and not take(prop, prop, [ends[prop]]):
            notes.append(f"property {prop} is left out of Prop: its name is taken; rename it with props")
    for prop in [each for each in rest if each not in ends]:
        if not take(prop, prop, list(End)[:num_ends]):
            where = " at one end" if any(member.property == prop for member in members) else ""
            notes.append(
                f"property {prop} is left out of Prop{where}: its name is taken; rename it with props"
            )
    return Decided(tuple(sorted(members)), tuple(notes))


def decide_tags(
    collection: Collection, settings: AnnotationSettings, ends: Mapping[str, End], place: str
) -> tuple[TagSource, ...]:
    """Return the configured tags; arguments and errors as of `decide_members`."""
    _check_properties(collection, dict(settings.tags), "tags", place)
    return tuple(TagSource(prop, template, ends.get(prop)) for prop, template in settings.tags)


def _ends_of(prop: str, shown: MemberName, ends: Mapping[str, End], num_ends: int, place: str) -> list[End]:
    """Return the ends whose elements show a configured property."""
    end = ends.get(prop) if shown.end is None else shown.end
    if end is not None and end >= num_ends:
        raise ConfigError(f"{place} props: {prop} is to be shown at end b, which only lines have")
    return list(End)[:num_ends] if end is None else [end]


def _check_properties(collection: Collection, configured: Mapping[str, object], key: str, place: str) -> None:
    known = [each.id for each in collection.properties]
    for prop in configured:
        if prop not in known:
            raise ConfigError(
                f'{place} {key}: there is no property "{prop}"; there are {", ".join(known) or "none"}'
            )
