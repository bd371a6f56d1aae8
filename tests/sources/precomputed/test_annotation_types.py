"""Collections of every type with any properties, levels and units: each annotation is found as it is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from tests.annotated import (
    IDENTITY,
    MURMUR,
    Element,
    Grid,
    Note,
    Table,
    Voxel,
    by_block,
    list_cells,
    write_table,
)
from tests.annotation_readers import ask, box_of, whole

TYPES = ("point", "line", "axis_aligned_bounding_box", "ellipsoid", "polyline")
UNITS = {"nm": (8.0, "nm"), "um": (0.008, "um"), "m": (8e-9, "m"), "voxel": (1.0, "")}
TEXTS: Mapping[str, Sequence[tuple[Any, str]]] = {
    "uint8": [(0, "0"), (255, "255")],
    "int8": [(-128, "-128"), (127, "127")],
    "uint16": [(0, "0"), (65535, "65535")],
    "int16": [(-32768, "-32768"), (7, "7")],
    "uint32": [(0, "0"), (2**32 - 1, "4294967295")],
    "int32": [(-(2**31), "-2147483648"), (9, "9")],
    "float32": [
        (0.5, "0.5"),
        (1e-7, "0.0000001"),
        (-3.0, "-3"),
        (1e20, "100000000000000000000"),
        (0.1, "0.1"),
    ],
    "bool": [(0, "false"), (1, "true")],
    "rgb": [((255, 0, 16), "#ff0010"), ((0, 0, 0), "#000000")],
    "rgba": [((1, 2, 3, 4), "#01020304")],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, dict[int, int], list[Element]]:
    """A collection, the level of each annotation, and its elements; no two ends share a voxel."""
    kind = draw(st.sampled_from(TYPES))
    types = draw(st.lists(st.sampled_from(sorted(TEXTS)), max_size=70))
    properties = [{"id": f"p{number}", "type": name} for number, name in enumerate(types)]
    grids = [
        Grid((a, b, c), (120 / a, 120 / b, 120 / c))
        for a, b, c in draw(st.lists(st.tuples(*[st.integers(1, 4)] * 3), min_size=1, max_size=3))
    ]
    count = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    spots = rng.choice(60**3, 2 * count, replace=False)
    at = np.stack(np.unravel_index(spots, (60, 60, 60)), 1) * 2  # even, so that centres of boxes are voxels
    notes: list[Note] = []
    elements: list[Element] = []
    for number in range(count):
        values = {each["id"]: draw(st.sampled_from(TEXTS[each["type"]])) for each in properties}
        points, voxels, shape = _draw_geometry(kind, at[2 * number], at[2 * number + 1], rng)
        notes.append(Note(number, points, voxels, {name: value for name, (value, _) in values.items()}))
        props = {name: text for name, (_, text) in values.items()} | shape
        for voxel, partner in zip(voxels, voxels[::-1], strict=True):
            elements.append(
                {
                    "Pos": list(voxel),
                    "Kind": "Note",
                    "Tags": [],
                    "Prop": dict(sorted(props.items())),
                    "Rels": [{"Rel": "GroupedWith", "To": list(partner)}] if kind == "line" else [],
                }
            )
    unit = UNITS[draw(st.sampled_from(sorted(UNITS)))]
    sharding = draw(st.sampled_from([None, IDENTITY, MURMUR]))
    table = Table(
        kind, notes, properties, (), grids, dimensions=dict.fromkeys("xyz", unit), sharding=sharding
    )
    levels = {note.id: int(rng.integers(len(grids))) for note in notes}
    elements.sort(key=_zyx)
    return table, levels, elements


def _zyx(element: Element) -> list[int]:
    """The position of an element, as DVID sorts it."""
    position: list[int] = element["Pos"]
    return position[::-1]


def _draw_geometry(
    kind: str, one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> tuple[list[tuple[float, ...]], list[Voxel], dict[str, str]]:
    """Return what is stored, the voxels of the ends, and what `Prop` says of the shape."""
    a, b = _voxel(one), _voxel(other)
    match kind:
        case "point":
            return [a], [a], {}
        case "line":
            return [a, b], [a, b], {}
        case "axis_aligned_bounding_box":
            low, high = np.minimum(one, other), np.maximum(one, other)
            return [a, b], [_voxel((low + high) // 2)], {"max": _joined(high), "min": _joined(low)}
        case "ellipsoid":
            return [a, b], [a], {"radii": _joined(other)}
        case _:
            more = [one, *rng.integers(0, 120, (rng.integers(0, 4), 3))]
            return [_voxel(each) for each in more], [a], {"points": ";".join(map(_joined, more))}


def _voxel(at: np.ndarray) -> Voxel:
    x, y, z = at.tolist()
    return x, y, z


def _joined(at: np.ndarray) -> str:
    return "_".join(map(str, at.tolist()))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(tables(), st.tuples(*[st.integers(-10, 120)] * 3), st.tuples(*[st.integers(1, 60)] * 3))
def test_every_annotation_of_every_type_is_found(
    drawn: tuple[Table, dict[int, int], list[Element]], corner: Voxel, size: Voxel
) -> None:
    table, levels, elements = drawn
    if table.kind == "axis_aligned_bounding_box":  # several boxes may have one centre
        centres = [tuple(element["Pos"]) for element in elements]
        elements = [each for each in elements if centres.count(tuple(each["Pos"])) == 1]
    objects = write_table(table, list_cells(table, levels))

    async def check(reader: AnnotationReader) -> None:
        found = json.loads(await reader.elements(box_of(corner, size))) or []
        inside = [
            each
            for each in elements
            if all(low <= at < low + n for low, n, at in zip(corner, size, each["Pos"], strict=True))
        ]
        assert [each for each in found if each in elements] == inside
        if table.kind != "axis_aligned_bounding_box":
            assert found == inside
            assert json.loads(await whole(reader)) == by_block(elements)

    ask(objects, check, AnnotationSettings(voxel_size_nm=(8, 8, 8)))


def test_a_line_without_length_is_two_elements_on_one_voxel() -> None:
    spot = (5, 5, 5)
    table = Table("line", [Note(1, [spot, spot])], relationships=("pre_body", "post_body"))
    found = json.loads(ask(write_table(table), lambda reader: reader.elements(box_of(spot, (1, 1, 1)))))
    assert [(each["Kind"], each["Rels"]) for each in found] == [
        ("PostSyn", [{"Rel": "PostSynTo", "To": [5, 5, 5]}]),
        ("PreSyn", [{"Rel": "PreSynTo", "To": [5, 5, 5]}]),
    ]


def test_boxes_with_one_centre_are_one_element_without_what_differs() -> None:
    boxes = [Note(1, [(0, 0, 0), (10, 10, 10)]), Note(2, [(4, 4, 0), (6, 6, 10)])]
    table = Table("axis_aligned_bounding_box", boxes, [{"id": "n", "type": "uint8"}])
    (found,) = json.loads(
        ask(write_table(table), lambda reader: reader.elements(box_of((5, 5, 5), (1, 1, 1))))
    )
    assert found["Prop"] == {"n": "0"}
