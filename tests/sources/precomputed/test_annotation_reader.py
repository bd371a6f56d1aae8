"""Answers about annotations: as brute force finds them in the table that the collection was written from."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings, Kind
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from tests.annotated import (
    IDENTITY,
    MURMUR,
    Grid,
    Meaning,
    Note,
    Table,
    Voxel,
    by_block,
    expected,
    list_cells,
    write_table,
)
from tests.annotation_readers import ask, box_of, whole

SIDE = 400
"""Voxels along each edge of the space that positions are drawn from; it begins at -100."""
UNITS = {"nm": (8, "nm"), "um": (0.008, "um"), "mm": (8e-6, "mm"), "m": (8e-9, "m"), "1 nm": (1, "nm")}
GRIDS = (
    Grid((1, 1, 1), (400, 400, 400)),
    Grid((2, 2, 2), (200, 200, 200)),
    Grid((3, 5, 4), (133.5, 80, 100)),
    Grid((7, 6, 5), (60, 66.25, 80)),
)
PROPERTIES: Sequence[Mapping[str, Any]] = (
    {"id": "roi", "type": "uint8", "enum_values": [0, 1, 2], "enum_labels": ["EB", "<&FB>", "é"]},
    {"id": "conf_pre", "type": "float32"},
    {"id": "weight", "type": "int16"},
    {"id": "conf_post", "type": "float32"},
)
LINE = Meaning(
    members={
        "roi": ("roi", None),
        "weight": ("weight", None),
        "conf_pre": ("conf", 0),
        "conf_post": ("conf", 1),
    },
    text=lambda prop, value: (
        PROPERTIES[0]["enum_labels"][value] if prop == "roi" and value < 3 else f"{value:g}"
    ),
)
POINT = Meaning(
    kinds=("Note",),
    members={each["id"]: (each["id"], None) for each in PROPERTIES},
    text=LINE.text,
)


def draw_table(
    seed: int,
    kind: str,
    count: int,
    *,
    num_levels: int = 1,
    sharding: Mapping[str, Any] | None = None,
    unit: str = "nm",
    axes: str = "xyz",
    shift: float = 0,
) -> tuple[Table, dict[int, int]]:
    """Points or lines, and the level of each. Lines share ends, as synapses do.

    Args:
        seed: Whatever is drawn depends on it.
        kind: `point` or `line`.
        count: How many.
        num_levels: How many levels there are.
        sharding: Of all indexes.
        unit: A key of UNITS.
        axes: The order in which coordinates are stored.
        shift: Where in its voxel a position lies: 0, or 0.5 for the middle.
    """
    rng = np.random.default_rng(seed)
    scale = 8 if unit == "1 nm" else 1
    starts = rng.integers(-100, SIDE - 100, (max(count // 3, 1), 3))
    notes = []
    for number in range(count):
        start = starts[rng.integers(len(starts))]
        ends = [start] if kind == "point" else [start, start + rng.integers(-30, 31, 3)]
        stored = [tuple(((end + shift) * scale)["xyz".index(axis)] for axis in axes) for end in ends]
        notes.append(
            Note(
                id=int(rng.integers(2**63)) * 2 + number % 2,
                points=stored,
                voxels=[_voxel(end) for end in ends],
                values={
                    "roi": int(rng.integers(5)),
                    "conf_pre": float(start[0] % 8) / 8,
                    "conf_post": float(rng.integers(9)) / 8,
                    "weight": int(rng.integers(-3, 3)),
                },
                related={
                    "pre_body": [int(start[1]) % 7 + 2**60],
                    "post_body": [int(each) + 2**60 for each in rng.integers(9, size=rng.integers(3))],
                    "pre_site": [int(number)],
                },
            )
        )
    grids = [
        Grid(grid.shape, tuple(size * scale for size in grid.chunk_size)) for grid in GRIDS[-num_levels:]
    ]
    grids = [Grid(_by(grid.shape, axes), _by(grid.chunk_size, axes)) for grid in grids]
    table = Table(
        kind,
        notes,
        PROPERTIES,
        ("pre_body", "pre_site", "post_body") if kind == "line" else ("segments",),
        grids,
        origin=(-100 * scale,) * 3,
        upper=((SIDE - 100) * scale,) * 3,
        dimensions=dict.fromkeys(axes, UNITS[unit]),
        sharding=sharding,
    )
    return table, {note.id: int(rng.integers(num_levels)) for note in notes}


def _voxel(end: np.ndarray) -> Voxel:
    x, y, z = end.tolist()
    return x, y, z


def _by(values: Sequence[Any], axes: str) -> tuple[Any, Any, Any]:
    a, b, c = (values["xyz".index(axis)] for axis in axes)
    return a, b, c


Choice = Callable[[Note, int, Voxel], bool]


def in_box(start: Voxel, size: Voxel) -> Choice:
    """Choose the ends with a voxel in a box."""

    def choose(_note: Note, _end: int, voxel: Voxel) -> bool:
        return all(a <= at < a + n for a, n, at in zip(start, size, voxel, strict=True))

    return choose


def in_body(body: int) -> Choice:
    """Choose the ends that lie in a body."""

    def choose(note: Note, end: int, _voxel: Voxel) -> bool:
        return body in note.related[("pre_body", "post_body")[end]]

    return choose


def as_sent(document: object) -> bytes:
    """The JSON that Go writes."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


@pytest.mark.parametrize("kind", ["point", "line"])
@pytest.mark.parametrize("num_levels", [1, 4])
@pytest.mark.parametrize("sharding", [None, IDENTITY, MURMUR], ids=["files", "identity", "murmur"])
def test_boxes_hold_what_brute_force_finds(
    kind: str, num_levels: int, sharding: Mapping[str, Any] | None
) -> None:
    table, levels = draw_table(num_levels, kind, 300, num_levels=num_levels, sharding=sharding)
    objects = write_table(table, list_cells(table, levels))
    meaning = LINE if kind == "line" else POINT
    rng = np.random.default_rng(3)
    boxes = []
    for size in (1, 5, 64, 150, 1000):
        for _ in range(7):
            at = (
                table.notes[int(rng.integers(300))].voxels[0]
                if size < 10
                else rng.integers(-150, 350, 3).tolist()
            )
            boxes.append((tuple(at), (size, size, size // 2 + 1)))

    async def compare(reader: AnnotationReader) -> int:
        total = 0
        for start, size in boxes:
            found = expected(table.notes, meaning, in_box(start, size))
            assert await reader.elements(box_of(start, size)) == as_sent(found or None)
            total += len(found)
        return total

    assert ask(objects, compare) > 100


@pytest.mark.parametrize("kind", ["point", "line"])
def test_blocks_are_whole_and_sorted(kind: str) -> None:
    table, levels = draw_table(7, kind, 400, num_levels=2)
    objects = write_table(table, list_cells(table, levels))
    meaning = LINE if kind == "line" else POINT

    async def compare(reader: AnnotationReader) -> None:
        for start, size, first, last in (
            ((0, 0, 0), (64, 64, 64), (0, 0, 0), (64, 64, 64)),
            ((10, -1, 63), (1, 2, 2), (0, -64, 0), (64, 64, 128)),
            ((-70, -70, -70), (200, 300, 130), (-128, -128, -128), (192, 256, 64)),
            ((10, 10, 10), (0, 0, 0), (0, 0, 0), (64, 64, 64)),
        ):
            x, y, z = (b - a for a, b in zip(first, last, strict=True))
            found = expected(table.notes, meaning, in_box(first, (x, y, z)))
            assert await reader.blocks(box_of(start, size)) == as_sent(by_block(found))
        assert await reader.blocks(box_of((64, 0, 0), (0, 64, 64))) == b"{}"
        assert await reader.blocks(box_of((6400, 0, 0), (64, 64, 64))) == b"{}"
        everything = by_block(expected(table.notes, meaning, lambda *_: True))
        assert await whole(reader) == as_sent(everything)

    ask(objects, compare)


@pytest.mark.parametrize("sharding", [None, IDENTITY, MURMUR], ids=["files", "identity", "murmur"])
def test_labels_have_the_ends_that_lie_in_them(sharding: Mapping[str, Any] | None) -> None:
    table, levels = draw_table(5, "line", 200, sharding=sharding)
    objects = write_table(table, list_cells(table, levels))

    async def compare(reader: AnnotationReader) -> None:
        for body in range(2**60, 2**60 + 12):
            for with_relationships in (False, True):
                found = expected(table.notes, LINE, in_body(body), with_relationships=with_relationships)
                assert await reader.label(body, with_relationships=with_relationships) == as_sent(found)
            assert await reader.count(body, Kind.PRE_SYN) == sum(each["Kind"] == "PreSyn" for each in found)
            assert await reader.count(body, None) == len(found)
        for nobody in (1, 2**53 + 1, 2**64 - 1):
            assert await reader.label(nobody, with_relationships=True) == b"[]"

    ask(objects, compare)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["point", "line", "LINE", "Point"]),
    count=st.integers(0, 40),
    num_levels=st.integers(1, 4),
    sharding=st.sampled_from([None, IDENTITY, MURMUR]),
    unit=st.sampled_from(sorted(UNITS)),
    axes=st.sampled_from(["xyz", "zyx", "yxz"]),
    shift=st.sampled_from([0, 0.5]),
    corner=st.tuples(*[st.integers(-130, 300)] * 3),
    size=st.tuples(*[st.integers(1, 200)] * 3),
)
def test_any_collection_is_read_as_it_was_meant(
    seed: int,
    kind: str,
    count: int,
    num_levels: int,
    sharding: Mapping[str, Any] | None,
    unit: str,
    axes: str,
    shift: float,
    corner: Voxel,
    size: Voxel,
) -> None:
    table, levels = draw_table(
        seed,
        kind.lower(),
        count,
        num_levels=num_levels,
        sharding=sharding,
        unit=unit,
        axes=axes,
        shift=shift,
    )
    objects = write_table(table, list_cells(table, levels))
    meaning = LINE if kind.lower() == "line" else POINT
    chosen = AnnotationSettings(voxel_size_nm=(8, 8, 8))

    async def compare(reader: AnnotationReader) -> None:
        found = expected(table.notes, meaning, in_box(corner, size))
        assert await reader.elements(box_of(corner, size)) == as_sent(found or None)
        everything = by_block(expected(table.notes, meaning, lambda *_: True))
        assert await whole(reader) == as_sent(everything)

    ask(objects, compare, chosen)
