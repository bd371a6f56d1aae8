"""Spatial indexes as writers really make them: no annotation is lost, and none is answered twice."""

import json
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from tests.annotated import (
    Cell,
    Grid,
    Note,
    Table,
    Voxel,
    list_cells,
    touches,
    touches_main_diagonal,
    write_table,
)
from tests.annotation_readers import ask, box_of, whole

ONE: Voxel = (1, 1, 1)


def line(number: int, start: Voxel, stop: Voxel) -> Note:
    return Note(number, [start, stop], [start, stop])


def draw_lines(count: int, seed: int = 1) -> list[Note]:
    """Lines of up to 60 voxels in all directions, in a space of 512."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 512, (count, 3))
    stops = np.clip(starts + rng.integers(-60, 61, (count, 3)), 0, 511)
    return [
        line(number, tuple(a), tuple(b))
        for number, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True))
    ]


def positions(answer: bytes) -> list[list[int]]:
    return [element["Pos"] for element in json.loads(answer) or []]


def count_misses(objects: Mapping[str, bytes], notes: Sequence[Note], margin: float | None) -> int:
    """Ask for the voxel of each end of each line; return how many answers do not hold the line."""

    async def count(reader: AnnotationReader) -> int:
        misses = 0
        for note in notes:
            for voxel, partner in (note.voxels, note.voxels[::-1]):
                found = json.loads(await reader.elements(box_of(voxel, ONE))) or []
                partners = [each["To"] for element in found for each in element["Rels"]]
                misses += list(partner) not in partners
        return misses

    chosen = AnnotationSettings(margin=None if margin is None else (margin,) * 3)
    return ask(objects, count, chosen)


def test_lines_listed_along_the_wrong_diagonal_are_found_all_the_same() -> None:
    """As ngsidekick 0.0.20 lists them: by the main diagonal of their box."""
    notes = draw_lines(250)
    grids = (
        Grid((2, 2, 2), (256, 256, 256)),
        Grid((8, 8, 8), (64, 64, 64)),
        Grid((16, 16, 16), (32, 32, 32)),
    )
    table = Table("line", notes, grids=grids, upper=(512, 512, 512))
    levels = {note.id: note.id % 3 for note in notes}
    objects = write_table(table, list_cells(table, levels, touches_main_diagonal))
    assert count_misses(objects, notes, 0) > 0
    assert count_misses(objects, notes, None) == 0
    sane = write_table(table, list_cells(table, levels, touches))
    assert count_misses(sane, notes, 0) == 0


def test_an_annotation_in_many_cells_and_at_two_levels_is_answered_once() -> None:
    note = line(5, (40, 40, 40), (90, 90, 90))
    grids = (Grid((1, 1, 1), (128, 128, 128)), Grid((2, 2, 2), (64, 64, 64)))
    table = Table("line", [note], grids=grids)
    cells: dict[Cell, list[Note]] = {cell: [note] for cell in np.ndindex(2, 2, 2)}
    objects = write_table(table, {0: {(0, 0, 0): [note]}, 1: cells})

    async def check(reader: AnnotationReader) -> None:
        assert positions(await reader.elements(box_of((0, 0, 0), (128, 128, 128)))) == [
            [40, 40, 40],
            [90, 90, 90],
        ]
        assert positions(await reader.elements(box_of((90, 90, 90), ONE))) == [[90, 90, 90]]
        everything = json.loads(await whole(reader))
        assert [len(block) for block in everything.values()] == [1, 1]

    ask(objects, check)


@pytest.mark.parametrize("on_border", ["upper", "lower"])
def test_points_on_borders_and_outside_the_grid_are_found_once(on_border: str) -> None:
    """Writers disagree which of two cells holds what lies between them."""
    spots = [(0, 0, 0), (64, 64, 64), (64, 10, 128), (128, 128, 128), (200, -50, 64), (63, 64, 127)]
    notes = [Note(number, [spot], [spot]) for number, spot in enumerate(spots)]
    table = Table("point", notes, grids=[Grid((2, 2, 2), (64, 64, 64))], upper=(128, 128, 128))
    lists = list_cells(table, {note.id: 0 for note in notes})
    if on_border == "lower":
        lower: dict[Cell, list[Note]] = {}
        for note in notes:
            cell = tuple(int(np.clip(np.ceil(at / 64) - 1, 0, 1)) for at in note.points[0])
            lower.setdefault(cell, []).append(note)
        lists = {0: lower}
    objects = write_table(table, lists)

    async def check(reader: AnnotationReader) -> None:
        for spot in spots:
            assert positions(await reader.elements(box_of(spot, ONE))) == [list(spot)]
        found = positions(await reader.elements(box_of((-100, -100, -100), (400, 400, 400))))
        assert sorted(found) == sorted(map(list, spots))

    ask(objects, check)


@pytest.mark.parametrize(
    ("lower", "upper", "chunk"),
    [
        ((80, 80, 80), (50, 50, 50), (1, 1, 1)),
        ((50, 50, 50), (50, 50, 50), (1, 1, 1)),
        ((0, 0, 0), (10, 10, 10), (10, 10, 10)),
    ],
    ids=["inverted", "equal", "too small"],
)
def test_bounds_bound_nothing(lower: Voxel, upper: Voxel, chunk: Voxel) -> None:
    """The writer of neuroglancer takes A for the lower bound and B for the upper one."""
    note = line(1, (50, 50, 50), (70, 20, 90))
    table = Table("line", [note], grids=[Grid((1, 1, 1), chunk)], origin=lower, upper=upper)

    async def check(reader: AnnotationReader) -> None:
        assert positions(await reader.elements(box_of((50, 50, 50), ONE))) == [[50, 50, 50]]
        assert positions(await reader.elements(box_of((70, 20, 90), ONE))) == [[70, 20, 90]]
        assert await reader.elements(box_of((60, 35, 70), ONE)) == b"null"

    ask(write_table(table), check)


def test_an_empty_collection_has_infinite_bounds(caplog: pytest.LogCaptureFixture) -> None:
    table = Table("point", [], grids=[Grid((1, 1, 1), (1, 1, 1))], origin=(np.inf,) * 3, upper=(-np.inf,) * 3)
    objects = write_table(table)
    assert b"Infinity" in objects["syn/info"]

    async def check(reader: AnnotationReader) -> None:
        assert await reader.elements(box_of((0, 0, 0), (64, 64, 64))) == b"null"
        assert await reader.blocks(box_of((0, 0, 0), (64, 64, 64))) == b"{}"
        assert await whole(reader) == b"{}"
        assert "lower_bound is not finite" in reader.roles.warnings[0]

    ask(objects, check)
    assert not caplog.records


def test_cells_that_list_what_lies_elsewhere_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """As ngsidekick's, without shards and with several levels: the names of the files are scrambled."""
    notes = draw_lines(300)
    table = Table("line", notes, grids=[Grid((4, 4, 4), (128, 128, 128))], upper=(512, 512, 512))
    lists = list_cells(table, {note.id: 0 for note in notes})
    scrambled = {0: {cell[::-1]: found for cell, found in lists[0].items()}}

    async def read(reader: AnnotationReader) -> None:
        await whole(reader)
        await whole(reader)

    with caplog.at_level(logging.WARNING):
        ask(write_table(table, lists), read)
        assert not caplog.records
        ask(write_table(table, scrambled), read)
    (record,) = caplog.records
    assert (
        "annotations lie outside of the cell that lists them: memory://bucket/syn/info" in record.getMessage()
    )


@pytest.mark.parametrize("kind", ["axis_aligned_bounding_box", "ellipsoid", "polyline"])
def test_other_geometries_are_found_by_their_one_position(kind: str) -> None:
    rng = np.random.default_rng(4)
    notes = []
    for number in range(80):
        start = rng.integers(0, 400, 3)
        if kind == "polyline":
            points = [start, *(start + rng.integers(-50, 51, (rng.integers(1, 6), 3)))]
            position = start
        elif kind == "ellipsoid":
            points, position = [start, rng.integers(1, 40, 3)], start
        else:
            step = 2 * rng.integers(-30, 31, 3)
            points, position = [start, start + step], start + step // 2
        notes.append(
            Note(
                number,
                [tuple(map(float, point)) for point in points],
                [(int(position[0]), int(position[1]), int(position[2]))],
            )
        )
    grids = (Grid((1, 1, 1), (400, 400, 400)), Grid((4, 4, 4), (100, 100, 100)))
    table = Table(kind, notes, grids=grids, upper=(400, 400, 400), properties=[{"id": "n", "type": "uint16"}])
    objects = write_table(table, list_cells(table, {note.id: note.id % 2 for note in notes}))

    async def check(reader: AnnotationReader) -> None:
        for note in notes:
            (element,) = json.loads(await reader.elements(box_of(note.voxels[0], ONE)))
            assert element == {
                "Pos": list(note.voxels[0]),
                "Kind": "Note",
                "Tags": [],
                "Prop": {"n": "0", **geometry_of(kind, note)},
                "Rels": [],
            }

    ask(objects, check)


def geometry_of(kind: str, note: Note) -> dict[str, str]:
    points = [[int(at) for at in point] for point in note.points]
    if kind == "polyline":
        return {"points": ";".join("_".join(map(str, point)) for point in points)}
    if kind == "ellipsoid":
        return {"radii": "_".join(map(str, points[1]))}
    low, high = np.sort(points, axis=0).tolist()
    return {"max": "_".join(map(str, high)), "min": "_".join(map(str, low))}


def test_the_margin_is_measured_in_the_first_levels(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = [line(1, (10, 10, 10), (40, 15, 10)), line(2, (300, 300, 300), (290, 320, 305))]
    grids = (Grid((1, 1, 1), (512, 512, 512)), Grid((2, 2, 2), (256, 256, 256)))
    table = Table("line", notes, grids=grids)
    objects = write_table(table, list_cells(table, {1: 1, 2: 1}))

    async def check(reader: AnnotationReader) -> tuple[float, ...]:
        await reader.elements(box_of((0, 0, 0), ONE))
        return (await reader.margin()).reach

    with caplog.at_level(logging.INFO):
        assert ask(objects, check) == (30, 20, 5)
    assert [record.getMessage() for record in caplog.records] == [
        "margin of annotations measured: memory://bucket/syn/info: 30 x 20 x 5"
    ]
