"""Where properties lie in a record: as neuroglancer's own `getPropertyOffsets` says."""

from collections.abc import Mapping

import pytest

from dvidpc.formats.precomputed.annotation_info import AnnotationType
from dvidpc.formats.precomputed.annotation_layout import make_layout
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType

VERTICES = 28
"""Bytes of two vertices and their number, with which neuroglancer begins a polyline."""

CASES: tuple[tuple[str, Mapping[str, int], int, Mapping[str, int]], ...] = (
    ("point", {}, 12, {}),
    ("line", {"uint8": 1}, 28, {"uint8": 24}),
    ("polyline", {"uint16": 1}, 32, {"uint16": 28}),
    ("ellipsoid", {"rgb": 76}, 252, {"rgb": 249}),
    ("ellipsoid", {"rgb": 77}, 256, {"rgb": 252}),
    ("line", {"rgb": 75, "uint8": 3}, 252, {"rgb": 246, "uint8": 251}),
    ("line", {"float32": 57}, 252, {"float32": 248}),
    ("line", {"float32": 58}, 256, {"float32": 252}),
    ("point", {"uint8": 3, "rgb": 90, "rgba": 40}, 448, {"uint8": 14, "rgb": 282, "rgba": 441}),
    ("polyline", {"rgb": 200}, 632, {"rgb": 627}),
    (
        "ellipsoid",
        {"uint32": 31, "int32": 40, "uint8": 12, "rgba": 7, "int8": 29},
        380,
        {"uint32": 144, "int32": 304, "uint8": 319, "rgba": 344, "int8": 376},
    ),
    (
        "axis_aligned_bounding_box",
        {"rgba": 39, "int32": 26, "rgb": 29},
        372,
        {"rgba": 280, "int32": 124, "rgb": 368},
    ),
    ("polyline", {"float32": 4, "rgb": 3, "rgba": 13}, 108, {"float32": 40, "rgb": 50, "rgba": 101}),
    ("line", {"uint32": 29, "uint16": 38}, 216, {"uint32": 136, "uint16": 214}),
    ("line", {"int8": 6, "uint32": 30, "rgb": 18}, 204, {"int8": 149, "uint32": 140, "rgb": 201}),
    ("ellipsoid", {"int8": 15, "uint16": 33}, 108, {"int8": 104, "uint16": 88}),
    ("axis_aligned_bounding_box", {"rgba": 26, "float32": 7}, 156, {"rgba": 152, "float32": 48}),
    (
        "axis_aligned_bounding_box",
        {"rgba": 4, "rgb": 31, "int32": 25, "float32": 26, "int16": 27},
        392,
        {"rgba": 294, "rgb": 388, "int32": 120, "float32": 224, "int16": 280},
    ),
    ("point", {"int8": 20, "uint16": 22, "rgba": 1}, 80, {"int8": 75, "uint16": 54, "rgba": 76}),
    ("ellipsoid", {"bool": 7, "uint8": 1}, 32, {"bool": 30, "uint8": 31}),
)
"""Type, properties, size of a record, and offset of the last property of each type."""


@pytest.mark.parametrize(("kind", "counts", "size", "last"), CASES)
def test_records_are_laid_out_as_by_neuroglancer(
    kind: str, counts: Mapping[str, int], size: int, last: Mapping[str, int]
) -> None:
    properties = [
        Property(f"{name}_{number}", PropertyType(name)) for name, n in counts.items() for number in range(n)
    ]
    layout = make_layout(AnnotationType(kind), properties)
    skipped = VERTICES if kind == "polyline" else 0
    assert layout.size + skipped == size
    fields = layout.dtype.fields
    assert fields is not None
    found = {name: fields[f"{name}_{n - 1}"][1] + skipped for name, n in counts.items()}
    assert found == last


def test_wide_properties_come_first_whatever_the_order_of_the_info() -> None:
    declared = [("kind", "uint8"), ("conf", "float32"), ("roi", "uint16"), ("other", "int8")]
    layout = make_layout(
        AnnotationType.POINT, [Property(name, PropertyType(kind)) for name, kind in declared]
    )
    assert layout.dtype.names == ("@geometry", "conf", "roi", "kind", "other")
