"""Annotations that cannot be read, or are too many: an error, never an answer without them."""

import asyncio
import json
import struct
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvidpc.errors import FormatError, RequestError, StoreError, TooLargeError
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from dvidpc.types import ByteRange
from tests.annotated import IDENTITY, MURMUR, Grid, Note, Table, store_values, write_table
from tests.annotation_readers import ask, box_of, open_collection, whole
from tests.segments import MemoryStore

EVERYTHING = box_of((0, 0, 0), (128, 128, 128))
CORNER = box_of((0, 0, 0), (1, 1, 1))
Question = Callable[[AnnotationReader], Awaitable[bytes]]
QUESTIONS: Mapping[str, Question] = {
    "elements": lambda reader: reader.elements(EVERYTHING),
    "blocks": lambda reader: reader.blocks(EVERYTHING),
    "all-elements": whole,
    "tag": lambda reader: reader.tag("x", with_relationships=True),
    "label": lambda reader: reader.label(5, with_relationships=False),
}


def draw_points(count: int, sharding: Mapping[str, Any] | None = None, side: int = 2) -> Table:
    """Points on a grid of 128 voxels, all in the body 5."""
    spots = [(n % 32 * 4, n // 32 % 32 * 4, n // 1024 * 4) for n in range(count)]
    notes = [Note(number, [spot], [spot], related={"body": [5]}) for number, spot in enumerate(spots)]
    size = 128 / side
    return Table("point", notes, (), ("body",), [Grid((side,) * 3, (size,) * 3)], sharding=sharding)


class PartlyBroken(MemoryStore):
    """Fails for some objects, or for their parts."""

    def __init__(self, objects: Mapping[str, bytes], broken: str) -> None:
        super().__init__(objects)
        self.broken_key = broken

    async def _answer(self, key: str, byte_range: ByteRange | None) -> bytes | None:
        if key == self.broken_key:
            raise StoreError(f"{key} cannot be read: 503")
        return await super()._answer(key, byte_range)


def test_an_absent_cell_is_empty_and_one_that_cannot_be_read_is_not() -> None:
    table = draw_points(300)
    objects = write_table(table)
    key = "syn/spatial0/0_0_0"
    left = {name: data for name, data in objects.items() if name != key}
    (there,) = ask(objects, lambda reader: asyncio.gather(reader.elements(CORNER)))
    assert json.loads(there)[0]["Pos"] == [0, 0, 0]
    assert ask(left, lambda reader: reader.elements(CORNER)) == b"null"
    for name in ("elements", "blocks", "all-elements"):
        with pytest.raises(StoreError, match="0_0_0 cannot be read: 503"):
            ask(PartlyBroken(objects, key), QUESTIONS[name])


@pytest.mark.parametrize("sharding", [IDENTITY, MURMUR], ids=["identity", "murmur"])
def test_an_absent_shard_is_empty_and_a_truncated_one_is_an_error(sharding: Mapping[str, Any]) -> None:
    table = draw_points(300, sharding)
    objects = write_table(table)
    shards = [name for name in objects if name.startswith("syn/spatial0/")]
    found = json.loads(ask(objects, QUESTIONS["elements"]))
    assert len(found) == 300
    without = {name: data for name, data in objects.items() if name != shards[0]}
    left = json.loads(ask(without, QUESTIONS["elements"]) or b"null") or []
    assert len(left) < 300
    assert all(element in found for element in left)
    for cut in (10, len(objects[shards[0]]) // 2, len(objects[shards[0]]) - 1):
        damaged = {**objects, shards[0]: objects[shards[0]][:cut]}
        with pytest.raises(FormatError, match="spatial0"):
            ask(damaged, QUESTIONS["elements"])
    with pytest.raises(StoreError):
        ask(PartlyBroken(objects, shards[0]), QUESTIONS["elements"])


@pytest.mark.parametrize("name", QUESTIONS)
def test_damaged_lists_are_errors_that_name_the_object(name: str) -> None:
    objects = write_table(draw_points(300))
    key = "syn/rel_body/5" if name == "label" else "syn/spatial0/1_0_0"
    for damaged in (
        b"",
        objects[key][:-1],
        objects[key] + b"\0",
        struct.pack("<Q", 2**32) + objects[key][8:],
    ):
        if name == "tag":  # no tags are configured: there is nothing to read
            continue
        with pytest.raises(FormatError, match=key):
            ask({**objects, key: damaged}, QUESTIONS[name])


def asked_for_data(store: MemoryStore) -> bool:
    """Whether more than indexes of shards was read, which have 32 and at most 200 bytes here."""
    return any(where is None or where.size > 200 for _, where in store.asked)


def test_too_many_cells_are_refused_before_anything_is_read() -> None:
    store = MemoryStore(write_table(draw_points(300, side=17)))
    with pytest.raises(RequestError, match=r"4913 cells .* at most 4096 for one request \(max_cells\)"):
        ask(store, QUESTIONS["elements"], max_cells=4096)
    assert store.asked == []
    assert ask(store, QUESTIONS["elements"], max_cells=4913) != b"null"


def test_too_large_a_grid_is_not_read_as_a_whole() -> None:
    table = draw_points(10, side=41)
    store = MemoryStore(write_table(table))
    with pytest.raises(RequestError, match="too large for all-elements: its spatial index has 68921 cells"):
        ask(store, whole)
    assert store.asked == []


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "tag"])
def test_too_many_annotations_are_refused_before_they_are_read(name: str) -> None:
    store = MemoryStore(write_table(draw_points(300, IDENTITY)))
    with pytest.raises(RequestError, match=r"300 annotations to read; .* at most 299 .*\(max_annotations\)"):
        ask(store, QUESTIONS[name], max_annotations=299)
    assert not asked_for_data(store)
    ask(store, QUESTIONS[name], max_annotations=300)
    assert asked_for_data(store)


@pytest.mark.parametrize("sharding", [None, MURMUR], ids=["files", "compressed"])
@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "tag"])
def test_too_many_annotations_of_unknown_size_are_refused_once_they_are_counted(
    name: str, sharding: Mapping[str, Any] | None
) -> None:
    objects = write_table(draw_points(300, sharding))
    for most in (299, 40, 1):
        with pytest.raises(RequestError, match=r"at most \d+ annotations .*\(max_annotations\)") as caught:
            ask(objects, QUESTIONS[name], max_annotations=most)
        assert not isinstance(caught.value, TooLargeError)
    ask(objects, QUESTIONS[name], max_annotations=300)


def test_an_answer_that_is_too_large_is_refused() -> None:
    objects = write_table(draw_points(3000))
    size = len(ask(objects, QUESTIONS["elements"]))
    assert size > 150_000
    for name in ("elements", "blocks", "label"):
        with pytest.raises(TooLargeError, match=r"\(max_response\)"):
            ask(objects, QUESTIONS[name], max_response=100_000)
    assert len(ask(objects, whole, max_response=100_000)) > 150_000


def test_a_compressed_list_cannot_fill_memory() -> None:
    """Few kilobytes, which expand to many megabytes."""
    table = draw_points(30, MURMUR, side=1)
    bomb = struct.pack("<Q", 2**20) + bytes(2**26)
    objects = write_table(table) | store_values("syn/spatial0", {("0_0_0", 0): bomb}, MURMUR)
    tracemalloc.start()
    with pytest.raises(RequestError, match=r"\(max_annotations\)"):
        ask(objects, QUESTIONS["elements"], max_annotations=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_what_was_replaced_or_reported_missing_is_read_again() -> None:
    table = draw_points(20, IDENTITY, side=1)
    store = MemoryStore(write_table(table))

    async def run() -> None:
        with ThreadPoolExecutor(2) as pool:
            reader = open_collection(store, store.objects["syn/info"], pool)
            assert len(json.loads(await reader.elements(EVERYTHING))) == 20
            store.objects |= write_table(draw_points(30, IDENTITY, side=1))
            assert len(json.loads(await reader.elements(EVERYTHING))) == 20  # from the cache
            reader.forget()
            assert len(json.loads(await reader.elements(EVERYTHING))) == 30

    asyncio.run(run())


def test_collections_without_one_of_the_indexes_say_so() -> None:
    table = draw_points(5)
    no_cells = Table("point", table.notes, (), ("body",), grids=())
    for name in ("elements", "blocks", "all-elements"):
        with pytest.raises(RequestError, match="no spatial index"):
            ask(write_table(no_cells), QUESTIONS[name])
    assert json.loads(ask(write_table(no_cells), QUESTIONS["label"]))
    no_bodies = Table("point", table.notes, grids=table.grids)
    with pytest.raises(RequestError, match="no relationship to segments"):
        ask(write_table(no_bodies), QUESTIONS["label"])


def test_ends_without_a_voxel_are_left_out_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    spots = [(1.0, 2.0, 3.0), (float("nan"), 1.0, 1.0), (2.0**31, 0.0, 0.0), (float("inf"), 0.0, 0.0)]
    lines = [Note(number, [(5.0, 5.0, 5.0), spot]) for number, spot in enumerate(spots)]
    table = Table("line", lines, grids=[Grid((1, 1, 1), (10, 10, 10))])
    objects = write_table(table, {0: {(0, 0, 0): lines}})
    found = json.loads(ask(objects, lambda reader: reader.elements(box_of((-(2**31),) * 3, (2**32,) * 3))))
    assert [element["Pos"] for element in found] == [[1, 2, 3], [5, 5, 5]]
    assert found[1]["Rels"] == [{"Rel": "GroupedWith", "To": [1, 2, 3]}]
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "3 positions in memory://bucket/syn/spatial0/0_0_0" in record.getMessage()


def test_a_cell_that_is_too_long_does_not_keep_others_from_being_answered() -> None:
    """The margin is measured in what can be read."""
    lines = [Note(number, [(5.0, 5.0, 5.0), (9.0, 9.0, 9.0)]) for number in range(50)]
    alone = Note(100, [(70.0, 5.0, 5.0), (90.0, 9.0, 9.0)])
    table = Table("line", [*lines, alone], grids=[Grid((2, 1, 1), (64, 64, 64))])
    objects = write_table(table)
    far = box_of((90, 9, 9), (1, 1, 1))
    found = json.loads(ask(objects, lambda reader: reader.elements(far), max_annotations=40))
    assert [element["Rels"] for element in found] == [[{"Rel": "GroupedWith", "To": [70, 5, 5]}]]
    with pytest.raises(RequestError, match=r"\(max_annotations\)"):
        ask(objects, lambda reader: reader.elements(CORNER), max_annotations=40)
