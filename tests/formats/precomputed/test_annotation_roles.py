"""What a collection is taken for, by convention and by configuration."""

from collections.abc import Sequence
from typing import Any

import pytest

from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_extents import describe_mismatch, voxel_bounds
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Collection, Index, Level, Relationship
from dvidpc.formats.precomputed.annotation_members import Member
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType
from dvidpc.formats.precomputed.annotation_roles import Body, Roles, decide_roles
from dvidpc.formats.precomputed.annotation_settings import (
    AnnotationSettings,
    End,
    Kind,
    KindProperty,
    MemberName,
    VoxelSize,
)
from dvidpc.formats.precomputed.annotation_units import Dimension
from dvidpc.types import Point

A, B = End
SYNAPSE = (Kind.PRE_SYN, Kind.POST_SYN)
NOTES = (Kind.NOTE, Kind.NOTE)


def collection_of(
    kind: str = "line",
    relationships: Sequence[str] = (),
    properties: Sequence[str] = (),
    labels: Sequence[str] = (),
    dimensions: Sequence[tuple[str, float, str]] = (("x", 8, "nm"), ("y", 8, "nm"), ("z", 8, "nm")),
) -> Collection:
    """A collection; its last property has *labels*."""
    described = [Property(name, PropertyType.UINT8) for name in properties]
    if labels:
        described[-1] = Property(described[-1].id, PropertyType.UINT8, tuple(enumerate(labels)))
    return Collection(
        tuple(Dimension(*each) for each in dimensions),
        (0, 0, 0),
        (100, 100, 100),
        AnnotationType(kind),
        tuple(described),
        tuple(Relationship(name, Index(name, None)) for name in relationships),
        (Level(Index("s0", None), (1, 1, 1), (100, 100, 100)),),
        None,
    )


def decide(
    collection: Collection,
    synced: VoxelSize | None = None,
    *,
    voxel_size_nm: VoxelSize | None = None,
    kinds: tuple[Kind, Kind] | KindProperty | None = None,
    bodies: tuple[tuple[str, End], ...] | None = None,
    tags: tuple[tuple[str, str], ...] = (),
    props: tuple[tuple[str, MemberName], ...] = (),
    margin: VoxelSize | None = None,
) -> Roles:
    settings = AnnotationSettings(voxel_size_nm, kinds, bodies, tags, props, margin)
    return decide_roles(collection, settings, synced, "[store.synapses]")


@pytest.mark.parametrize(
    ("relationships", "properties", "kinds"),
    [
        (["pre_synaptic_cell", "post_synaptic_cell"], [], SYNAPSE),
        (["body_pre", "body_post"], [], SYNAPSE),
        ([], ["conf_pre", "conf_post"], SYNAPSE),
        (["pre_body"], ["conf_post"], SYNAPSE),
        (["pre_body"], ["conf_pre"], NOTES),
        (["segments"], ["confidence"], NOTES),
        ([], [], NOTES),
    ],
)
def test_lines_are_synapses_if_both_sides_are_named(
    relationships: Sequence[str], properties: Sequence[str], kinds: tuple[Kind, Kind]
) -> None:
    assert decide(collection_of("line", relationships, properties)).kinds.of_ends == kinds


def test_the_configuration_says_which_end_is_pre() -> None:
    collection = collection_of("line", ["pre_body", "post_body"], ["conf_pre", "conf_post"])
    usual = decide(collection)
    assert usual.bodies == (Body(0, A), Body(1, B))
    assert usual.members == (Member("conf", "conf_post", B), Member("conf", "conf_pre", A))
    swapped = decide(collection, kinds=SYNAPSE[::-1])
    assert swapped.bodies == (Body(0, B), Body(1, A))
    assert swapped.members == (Member("conf", "conf_post", A), Member("conf", "conf_pre", B))
    assert "line: A is PostSyn, B is PreSyn" in swapped.explanation


@pytest.mark.parametrize(
    ("kind", "relationships", "bodies"),
    [
        ("line", ["pre_synaptic_cell", "pre_synaptic_site", "post_synaptic_cell"], [(0, A), (2, B)]),
        ("line", ["segments"], []),
        ("line", ["pre_synaptic_site"], []),
        ("point", ["body"], [(0, A)]),
        ("point", ["roi", "segments"], [(1, A)]),
        ("point", ["whatever"], [(0, A)]),
        ("point", ["site"], []),
        ("point", ["roi", "whatever"], []),
        ("polyline", ["cell"], [(0, A)]),
        ("point", [], []),
    ],
)
def test_relationships_to_segments_are_told_by_their_names(
    kind: str, relationships: Sequence[str], bodies: Sequence[tuple[int, End]]
) -> None:
    roles = decide(collection_of(kind, relationships))
    assert list(roles.bodies) == [Body(*each) for each in bodies]
    assert bool(bodies) is not any("label is not answered" in line for line in roles.explanation)


def test_relationships_to_segments_can_be_configured() -> None:
    collection = collection_of("line", ["one", "two", "pre_body"])
    roles = decide(collection, bodies=(("two", A), ("one", B)))
    assert roles.bodies == (Body(1, A), Body(0, B))
    assert roles.kinds.of_ends == SYNAPSE
    assert decide(collection, bodies=()).bodies == ()
    with pytest.raises(
        ConfigError, match=r'\[store.synapses\] bodies: there is no relationship "three"; .* one, two'
    ):
        decide(collection, bodies=(("three", A),))
    with pytest.raises(ConfigError, match="bodies: body is to lie at end b, which only lines have"):
        decide(collection_of("point", ["body"]), bodies=(("body", B),))


@pytest.mark.parametrize(
    ("properties", "labels", "by_label"),
    [
        (["kind"], ["PreSyn", "PostSyn"], [("PreSyn", Kind.PRE_SYN), ("PostSyn", Kind.POST_SYN)]),
        (["type"], ["t-bar", "other"], [("t-bar", Kind.PRE_SYN)]),
        (["what"], ["gap junction", "PSD"], [("gap junction", Kind.GAP), ("PSD", Kind.POST_SYN)]),
        (["what"], ["gap junction", "other"], None),
        (["type"], ["excitatory", "inhibitory"], None),
        (["kind"], [], None),
    ],
)
def test_kinds_of_points_are_told_by_an_enumeration(
    properties: Sequence[str], labels: Sequence[str], by_label: Sequence[tuple[str, Kind]] | None
) -> None:
    kinds = decide(collection_of("point", [], properties, labels)).kinds
    assert kinds.of_ends == NOTES
    assert kinds.property == (None if by_label is None else properties[-1])
    assert list(kinds.by_label) == (by_label or [])


def test_lines_have_gap_junctions_only_where_that_is_configured() -> None:
    collection = collection_of("line", ["pre_body", "post_body"], ["kind"], ["chemical", "gap", "PostSyn"])
    assert decide(collection).kinds.property is None
    kinds = decide(collection, kinds=KindProperty("kind")).kinds
    assert (kinds.of_ends, kinds.property, kinds.by_label) == (SYNAPSE, "kind", (("gap", Kind.GAP),))
    with pytest.raises(ConfigError, match='kind: there is no enumeration "what"; there are kind'):
        decide(collection, kinds=KindProperty("what"))


def test_every_property_is_shown_once_per_end() -> None:
    names = ["conf_pre", "pre_synaptic_confidence", "conf", "conf_post", "roi"]
    roles = decide(collection_of("line", [], names))
    assert roles.members == (
        Member("conf", "conf_post", B),
        Member("conf", "conf_pre", A),
        Member("pre_synaptic_confidence", "pre_synaptic_confidence", A),
        Member("roi", "roi", None),
    )
    assert [line for line in roles.warnings if "property conf is left out" in line]
    point = decide(collection_of("point", [], names))
    assert [member.name for member in point.members] == sorted(names)


def test_properties_can_be_renamed_moved_and_left_out() -> None:
    collection = collection_of("line", ["pre_body", "post_body"], ["score", "conf_pre", "roi", "user"])
    roles = decide(
        collection,
        props=(
            ("score", MemberName("conf", B)),
            ("conf_pre", MemberName("confidence")),
            ("roi", MemberName("")),
        ),
        tags=(("roi", "{}"), ("user", "user:{}"), ("conf_pre", "x")),
    )
    assert roles.members == (
        Member("conf", "score", B),
        Member("confidence", "conf_pre", A),
        Member("user", "user", None),
    )
    assert [(tag.property, tag.template, tag.end) for tag in roles.tags] == [
        ("roi", "{}", None),
        ("user", "user:{}", None),
        ("conf_pre", "x", A),
    ]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"props": (("what", MemberName("x")),)}, r'props: there is no property "what"; there are roi, user'),
        ({"tags": (("what", "{}"),)}, r'tags: there is no property "what"'),
        (
            {"props": (("roi", MemberName("x", B)),)},
            "props: roi is to be shown at end b, which only lines have",
        ),
        (
            {"props": (("roi", MemberName("x")), ("user", MemberName("x")))},
            'props: user is to be shown as "x", which is taken',
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(chosen: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        decide(collection_of("point", [], ["roi", "user"]), **chosen)


def test_what_geometry_shows_is_not_overwritten() -> None:
    roles = decide(collection_of("ellipsoid", [], ["radii", "n"]))
    assert [member.name for member in roles.members] == ["n"]
    assert "property radii is left out of Prop: its name is taken" in roles.warnings[0]


@pytest.mark.parametrize(
    ("dimensions", "synced", "configured", "factors", "words"),
    [
        ([8, 8, 30], None, None, (1, 1, 1), "voxels 8 x 8 x 30 nm: coordinates are taken as they are"),
        (
            [1, 1, 1],
            (8, 8, 8),
            None,
            (1 / 8,) * 3,
            "voxels 8 x 8 x 8 nm: coordinates are divided by 8 x 8 x 8",
        ),
        ([1, 1, 1], (8, 8, 8), (4, 4, 40), (1 / 4, 1 / 4, 1 / 40), "divided by 4 x 4 x 40"),
        ([16, 16, 16], (8, 8, 8), None, (2, 2, 2), "multiplied by 2 x 2 x 2"),
    ],
)
def test_coordinates_count_in_the_voxels_of_what_they_belong_to(
    dimensions: Sequence[float],
    synced: tuple[float, float, float] | None,
    configured: tuple[float, float, float] | None,
    factors: tuple[float, ...],
    words: str,
) -> None:
    described = [(name, scale, "nm") for name, scale in zip("xyz", dimensions, strict=True)]
    roles = decide(collection_of(dimensions=described), synced, voxel_size_nm=configured)
    assert roles.placement.voxels_per_unit == pytest.approx(factors)
    assert words in roles.explanation[0]


def test_units_that_are_no_lengths_need_a_voxel_size() -> None:
    collection = collection_of(dimensions=[(name, 1, "") for name in "xyz"])
    with pytest.raises(ConfigError, match=r"\[store.synapses\] voxel_size: is needed"):
        decide(collection, (8, 8, 8))
    roles = decide(collection, voxel_size_nm=(8, 8, 8))
    assert list(roles.placement.voxels_per_unit) == [1, 1, 1]
    assert list(roles.voxel_size_nm) == [8, 8, 8]


def test_axes_are_found_by_name_or_else_by_order() -> None:
    named = collection_of(dimensions=[("z", 40, "nm"), ("y", 4, "nm"), ("x", 4, "nm")])
    roles = decide(named, margin=(1, 2, 3))
    assert list(roles.placement.axes) == [2, 1, 0]
    assert list(roles.voxel_size_nm) == [4, 4, 40]
    assert list(roles.margin or ()) == [3, 2, 1]
    assert decide(collection_of(dimensions=[(name, 4, "nm") for name in "cba"])).placement.axes == (0, 1, 2)


def test_a_collection_elsewhere_than_its_volume_is_reported() -> None:
    volume = Box(Point(0, 0, 0), Point(120, 120, 120))
    collection = collection_of()
    roles = decide(collection)
    assert voxel_bounds(collection, roles) == Box(Point(0, 0, 0), Point(101, 101, 101))
    assert describe_mismatch(collection, roles, volume) is None
    small = decide(collection, voxel_size_nm=(1, 1, 1))
    said = describe_mismatch(collection, small, volume)
    assert said is not None
    assert "lies at 0,0,0 to 801,801,801, but the volume at 0,0,0 to 120,120,120: check the unit" in said
