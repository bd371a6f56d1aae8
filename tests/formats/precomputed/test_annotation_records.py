"""Encoded annotations: hand-made bytes, files of neuroglancer's own writer, and damaged ones."""

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neuroglancer import AnnotationPropertySpec, CoordinateSpace
from neuroglancer.write_annotations import AnnotationWriter

from dvidpc.errors import FormatError
from dvidpc.formats.lattice import Placement
from dvidpc.formats.precomputed.annotation_info import AnnotationType
from dvidpc.formats.precomputed.annotation_layout import GEOMETRY, make_layout
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType
from dvidpc.formats.precomputed.annotation_records import (
    decode_count,
    decode_list,
    decode_record,
    join_vertices,
    max_list_size,
)
from dvidpc.formats.precomputed.annotation_rows import extents, prepare
from tests.annotated import Note, Table

SYNAPSES = make_layout(
    AnnotationType.LINE,
    [
        Property("conf", PropertyType.FLOAT32),
        Property("roi", PropertyType.UINT16),
        Property("kind", PropertyType.UINT8),
    ],
)
CELL = bytes.fromhex(
    "0300000000000000"
    "0000c842 00004843 00009643 0000dc42 00004d43 00009743 0000603f 0300 00 00"
    "0000c842 00004843 00009643 0000b442 00003e43 00809543 0000003f 0700 00 00"
    "00008c42 00002042 00002041 00007042 00004842 0000a041 0000803e 0300 01 00"
    "2900000000000000 2a00000000000000 0700000000000000"
)
RECORD = bytes.fromhex(
    "0000c842 00004843 00009643 0000dc42 00004d43 00009743 0000603f 0300 00 00"
    "01000000 0500000000000000 01000000 0100000000002000"
)
POLYLINES = make_layout(AnnotationType.POLYLINE, [Property("n", PropertyType.UINT16)])
POLYLINE = struct.pack("<I9f", 3, *range(9)) + bytes.fromhex("0500 0000")


def test_the_lines_of_a_cell_are_read() -> None:
    decoded = decode_list(CELL, SYNAPSES)
    assert len(CELL) == 128
    assert decoded.ids.tolist() == [41, 42, 7]
    assert decoded.records[GEOMETRY].tolist() == [
        [100, 200, 300, 110, 205, 302],
        [100, 200, 300, 90, 190, 299],
        [70, 40, 10, 60, 50, 20],
    ]
    assert decoded.records["conf"].tolist() == [0.875, 0.5, 0.25]
    assert decoded.records["roi"].tolist() == [3, 7, 3]
    assert decoded.records["kind"].tolist() == [0, 0, 1]
    assert decoded.vertices is None


def test_a_line_is_read_by_its_id_with_what_it_is_related_to() -> None:
    assert len(RECORD) == 56
    record = decode_record(RECORD, SYNAPSES, 41, 2)
    assert record.decoded.ids.tolist() == [41]
    assert record.decoded.records["roi"].tolist() == [3]
    assert record.related == ((5,), (2**53 + 1,))


def test_polylines_are_read() -> None:
    single = POLYLINE + bytes.fromhex("02000000 0800000000000000 0900000000000000")
    assert len(single) == 64
    record = decode_record(single, POLYLINES, 3, 1)
    assert record.related == ((8, 9),)
    assert record.decoded.vertices is not None
    assert record.decoded.vertices.points.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    one = struct.pack("<I3f", 1, 7, 8, 9) + bytes.fromhex("0600 0000")
    decoded = decode_list(
        struct.pack("<Q", 3) + POLYLINE + one + POLYLINE + struct.pack("<3Q", 1, 2, 3), POLYLINES
    )
    assert decoded.ids.tolist() == [1, 2, 3]
    assert decoded.records["n"].tolist() == [5, 6, 5]
    assert decoded.vertices is not None
    assert decoded.vertices.firsts.tolist() == [0, 3, 4, 7]
    assert decoded.vertices.take(np.array([1, 0])).points.tolist() == [
        [7, 8, 9],
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
    ]
    assert join_vertices([decoded.vertices] * 2).firsts.tolist() == [0, 3, 4, 7, 10, 11, 14]
    masked = decode_record(struct.pack("<I", 2**31 + 3) + single[4:], POLYLINES, 3, 1)
    assert masked.related == ((8, 9),)


def test_polylines_without_properties_are_read() -> None:
    layout = make_layout(AnnotationType.POLYLINE, [])
    data = struct.pack("<QI6fI3f2Q", 2, 2, *range(6), 1, 7, 8, 9, 11, 12)
    decoded = decode_list(data, layout)
    assert decoded.ids.tolist() == [11, 12]
    assert decoded.vertices is not None
    assert len(decoded.vertices.points) == 3


@pytest.mark.parametrize("kind", AnnotationType)
@pytest.mark.parametrize("properties", [[], [Property("n", PropertyType.FLOAT32)]], ids=["bare", "number"])
def test_an_empty_list_is_eight_zeros(kind: AnnotationType, properties: list[Property]) -> None:
    layout = make_layout(kind, properties)
    decoded = decode_list(bytes(8), layout)
    assert len(decoded.ids) == len(decoded.records) == 0
    rows = prepare(decoded, layout, Placement((0, 1, 2), (1, 1, 1)))
    assert rows.voxels.shape == (0, kind.num_ends, 3)
    low, high = extents(decoded, kind)
    assert low.shape == high.shape == (0, 3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        *[(CELL[:n], f"has {n} bytes, fewer than 8") for n in range(8)],
        (struct.pack("<Q", 2**32) + CELL[8:], "claims to hold 4294967296"),
        (struct.pack("<Q", 2**64 - 1) + CELL[8:], "claims to hold"),
        (struct.pack("<Q", 4) + CELL[8:], "a list of 4 annotations has 128 bytes, not 168"),
        (struct.pack("<Q", 2) + CELL[8:], "a list of 2 annotations has 128 bytes, not 88"),
        (CELL[:-1], "has 127 bytes, not 128"),
        (CELL + b"\0", "has 129 bytes, not 128"),
    ],
)
def test_a_malformed_list_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        decode_list(data, SYNAPSES)


@pytest.mark.parametrize("count", [0, 2**31, 2**32 - 1, 4, 100])
def test_a_polyline_with_an_impossible_number_of_vertices_is_refused(count: int) -> None:
    data = struct.pack("<QI", 1, count) + POLYLINE[4:] + struct.pack("<Q", 1)
    with pytest.raises(FormatError):
        decode_list(data, POLYLINES)


def test_a_malformed_record_is_refused() -> None:
    for data in (b"", RECORD[:31], RECORD[:40], RECORD[:-1], RECORD + b"\0"):
        with pytest.raises(FormatError):
            decode_record(data, SYNAPSES, 41, 2)
    with pytest.raises(FormatError):
        decode_record(RECORD, SYNAPSES, 41, 1)
    with pytest.raises(FormatError):
        decode_record(RECORD[:32] + struct.pack("<I", 2**32 - 1), SYNAPSES, 41, 1)


def test_files_of_an_old_writer_are_refused_with_a_hint() -> None:
    layout = make_layout(
        AnnotationType.POINT, [Property("a", PropertyType.FLOAT32), Property("b", PropertyType.UINT32)]
    )
    with pytest.raises(FormatError, match=r"written by neuroglancer 2\.41\.2 or older"):
        decode_list(struct.pack("<Q", 1) + bytes(24) + bytes(8), layout)


@pytest.mark.parametrize("kind", ["line", "polyline"])
def test_mutations_never_give_other_than_the_bytes_say(kind: str) -> None:
    """10,000 damaged lists: an error, or as many annotations as fill exactly the bytes."""
    rng = random.Random(7)
    layout = SYNAPSES if kind == "line" else POLYLINES
    seed = CELL if kind == "line" else struct.pack("<Q", 2) + POLYLINE * 2 + struct.pack("<2Q", 1, 2)
    refused = 0
    for _ in range(5000):
        data = bytearray(seed)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data) + 1)
            match rng.randrange(4):
                case 0:
                    data[at : at + 1] = rng.randbytes(1)
                case 1:
                    del data[at : at + rng.randint(1, 40)]
                case 2:
                    data[at:at] = rng.randbytes(rng.randint(1, 40))
                case _:
                    data[0:1] = rng.randbytes(1)
        try:
            decoded = decode_list(bytes(data), layout)
        except FormatError:
            refused += 1
            continue
        count = struct.unpack_from("<Q", data)[0]
        vertices = 0 if decoded.vertices is None else 12 * len(decoded.vertices.points) + 4 * count
        assert len(data) == 8 + count * (layout.size + 8) + vertices
        assert len(decoded.ids) == len(decoded.records) == count == decode_count(bytes(data))
    assert refused > 2000


WRITTEN: dict[str, list[Any]] = {
    "point": [((1.5, -2, 3),)],
    "line": [((5, 5, 5), (1, 9, 2)), ((1, 1, 1), (1, 1, 1))],
    "axis_aligned_bounding_box": [((5, 5, 5), (1, 9, 2))],
    "ellipsoid": [((5, 5, 5), (1, 9, 2))],
    "polyline": [((5, 5, 5), (1, 9, 2), (3, 3, 3)), ((0, 0, 0), (1, 1, 1))],
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_files_of_neuroglancers_writer_are_read(kind: str, tmp_path: Path) -> None:
    space = CoordinateSpace(names=["x", "y", "z"], scales=[8, 8, 8], units=["nm"] * 3)
    types = ["uint8", "rgb", "float32", "int16", "rgba", "int8", "uint16"]
    specs = [AnnotationPropertySpec(id=f"p_{name}", type=name) for name in types]
    writer = AnnotationWriter(space, kind, ["a", "b"], specs)
    values = {
        "p_uint8": 200,
        "p_rgb": (1, 2, 3),
        "p_float32": -0.25,
        "p_int16": -300,
        "p_rgba": (9, 8, 7, 6),
        "p_int8": -5,
        "p_uint16": 60000,
    }
    for number, points in enumerate(WRITTEN[kind]):
        related = {"a": [1, 2**64 - 1], "b": []}
        match kind:
            case "point":
                writer.add_point(points[0], id=number, **values, **related)
            case "polyline":
                writer.add_polyline(points, id=number, **values, **related)
            case _:
                getattr(writer, f"add_{kind}")(*points, id=number, **values, **related)
    writer.write(tmp_path)
    layout = make_layout(AnnotationType(kind), [Property(f"p_{name}", PropertyType(name)) for name in types])
    single = decode_record((tmp_path / "by_id" / "0").read_bytes(), layout, 0, 2)
    assert single.related == ((1, 2**64 - 1), ())
    listed = (tmp_path / "spatial0" / "0_0_0").read_bytes()
    for decoded in (single.decoded, decode_list(listed, layout)):
        for name, value in values.items():
            assert decoded.records[name][0].tolist() == (list(value) if isinstance(value, tuple) else value)
        flat = [at for point in WRITTEN[kind][0] for at in point]
        if decoded.vertices is None:
            assert decoded.records[GEOMETRY][0].tolist() == flat
        else:
            assert decoded.vertices.points[: decoded.vertices.firsts[1]].ravel().tolist() == flat
    assert len(decode_list(listed, layout).ids) == len(WRITTEN[kind])
    assert (tmp_path / "rel_a" / str(2**64 - 1)).read_bytes() == listed


@pytest.mark.parametrize("count", [0, 1, 60, 200])
@pytest.mark.parametrize("kind", ["point", "line", "polyline"])
def test_many_properties_are_told_apart(count: int, kind: str) -> None:
    rng = np.random.default_rng(count)
    types = rng.choice([str(each) for each in PropertyType], count).tolist()
    properties = [{"id": f"p{number}", "type": name} for number, name in enumerate(types)]
    points = [(1.0, 2.0, 3.0)] * {"point": 1, "line": 2, "polyline": 4}[kind]
    values = {each["id"]: number % 100 for number, each in enumerate(properties)}
    table = Table(kind, [], properties)
    notes = [Note(number, points, values=values) for number in range(3)]
    layout = make_layout(
        AnnotationType(kind), [Property(each["id"], PropertyType(each["type"])) for each in properties]
    )
    decoded = decode_list(table.encode_list(notes), layout)
    for name, value in values.items():
        assert (decoded.records[name] == value).all()


def test_the_largest_list_is_bounded() -> None:
    assert max_list_size(3, SYNAPSES) == len(CELL)
    assert max_list_size(10, POLYLINES) > 8 + 10 * (len(POLYLINE) + 8)
