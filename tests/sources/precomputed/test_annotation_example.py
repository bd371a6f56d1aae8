"""A small collection from neuroglancer's own writer, and all that is answered of it, to the byte."""

import json
from typing import Any

import pytest
from neuroglancer import AnnotationPropertySpec, CoordinateSpace
from neuroglancer.write_annotations import AnnotationWriter

from dvidpc.formats.precomputed.annotation_settings import (
    AnnotationSettings,
    End,
    Kind,
    KindProperty,
    MemberName,
)
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from tests.annotated import Grid, Note, Table, list_cells, write_table
from tests.annotation_readers import ask, box_of, whole
from tests.segments import objects_below

AT_41 = "0000c842 00004843 00009643 0000dc42 00004d43 00009743 0000603f 0300 00 00"
AT_42 = "0000c842 00004843 00009643 0000b442 00003e43 00809543 0000003f 0700 00 00"
AT_7 = "00008c42 00002042 00002041 00007042 00004842 0000a041 0000803e 0300 01 00"
ONE = (1, 1, 1)
PRE = (
    b'{"Pos":[100,200,300],"Kind":"PreSyn","Tags":[],"Prop":{"kind":"chemical"},'
    b'"Rels":[{"Rel":"PreSynTo","To":[90,190,299]},{"Rel":"PreSynTo","To":[110,205,302]}]}'
)
POST_42 = (
    b'{"Pos":[90,190,299],"Kind":"PostSyn","Tags":[],"Prop":{"conf":"0.5","kind":"chemical","roi":"FB"},'
    b'"Rels":[{"Rel":"PostSynTo","To":[100,200,300]}]}'
)
POST_41 = (
    b'{"Pos":[110,205,302],"Kind":"PostSyn","Tags":[],"Prop":{"conf":"0.875","kind":"chemical","roi":"EB"},'
    b'"Rels":[{"Rel":"PostSynTo","To":[100,200,300]}]}'
)
POST_7 = (
    b'{"Pos":[60,50,20],"Kind":"PostSyn","Tags":[],"Prop":{"conf":"0.25","kind":"gap","roi":"EB"},'
    b'"Rels":[{"Rel":"PostSynTo","To":[70,40,10]}]}'
)
PRE_7 = (
    b'{"Pos":[70,40,10],"Kind":"PreSyn","Tags":[],"Prop":{"conf":"0.25","kind":"gap","roi":"EB"},'
    b'"Rels":[{"Rel":"PreSynTo","To":[60,50,20]}]}'
)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    directory = tmp_path_factory.mktemp("collection")
    space = CoordinateSpace(names=["x", "y", "z"], scales=[8, 8, 8], units=["nm"] * 3)
    specs = [
        AnnotationPropertySpec(id="kind", type="uint8", enum_values=[0, 1], enum_labels=["chemical", "gap"]),
        AnnotationPropertySpec(id="conf", type="float32"),
        AnnotationPropertySpec(id="roi", type="uint16", enum_values=[3, 7], enum_labels=["EB", "FB"]),
    ]
    writer = AnnotationWriter(space, "line", ["pre_body", "post_body"], specs)
    for number, start, stop, kind, conf, roi, pre, post in (
        (41, (100, 200, 300), (110, 205, 302), 0, 0.875, 3, 5, 2**53 + 1),
        (42, (100, 200, 300), (90, 190, 299), 0, 0.5, 7, 5, 6),
        (7, (70, 40, 10), (60, 50, 20), 1, 0.25, 3, 6, 5),
    ):
        writer.add_line(start, stop, id=number, kind=kind, conf=conf, roi=roi, pre_body=pre, post_body=post)
    writer.write(directory / "syn")
    return objects_below(directory)


def test_the_bytes_are_those_that_the_readers_were_made_for(objects: dict[str, bytes]) -> None:
    count, ids = "03000000 00000000", "2900000000000000 2a00000000000000 0700000000000000"
    cell = bytes.fromhex(count + AT_41 + AT_42 + AT_7 + ids)
    assert objects["syn/spatial0/0_0_0"] == cell
    related = "01000000 0500000000000000 01000000 0100000000002000"
    assert objects["syn/by_id/41"] == bytes.fromhex(AT_41 + related)
    assert len(objects["syn/rel_pre_body/5"]) == 88
    info = json.loads(objects["syn/info"])
    assert (info["lower_bound"], info["upper_bound"]) == ([70, 40, 10], [110, 205, 302])


async def everything(reader: AnnotationReader) -> dict[str, bytes]:
    """What is answered to various questions."""
    return {
        "a box": await reader.elements(box_of((64, 160, 256), (64, 64, 64))),
        "outside the bounds": await reader.elements(box_of((60, 50, 20), ONE)),
        "an empty box": await reader.elements(box_of((0, 0, 0), (8, 8, 8))),
        "a body": await reader.label(5, with_relationships=False),
        "the same with relationships": await reader.label(5, with_relationships=True),
        "a large id": await reader.label(2**53 + 1, with_relationships=True),
        "an unknown body": await reader.label(77, with_relationships=True),
        "the largest id": await reader.label(2**64 - 1, with_relationships=False),
        "a tag": await reader.tag("x", with_relationships=True),
        "all": await whole(reader),
    }


def bare(element: bytes) -> bytes:
    return element[: element.index(b',"Rels"')] + b"}"


def listed(*elements: bytes) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def test_every_question_is_answered(objects: dict[str, bytes]) -> None:
    assert ask(objects, everything) == {
        "a box": listed(POST_42, PRE, POST_41),
        "outside the bounds": listed(POST_7),
        "an empty box": b"null",
        "a body": listed(bare(POST_7), bare(PRE)),
        "the same with relationships": listed(POST_7, PRE),
        "a large id": listed(POST_41),
        "an unknown body": b"[]",
        "the largest id": b"[]",
        "a tag": b"[]",
        "all": b'{"0,0,0":[%b],"1,0,0":[%b],"1,2,4":[%b],"1,3,4":[%b,%b]}'
        % (POST_7, PRE_7, POST_42, PRE, POST_41),
    }


def test_an_annotation_is_read_by_its_id(objects: dict[str, bytes]) -> None:
    async def read(reader: AnnotationReader) -> list[Any]:
        return [await reader.lists.read_record(number) for number in (7, 8)]

    record, missing = ask(objects, read)
    assert record.related == ((6,), (5,))
    assert missing is None


def test_configured_kinds_tags_and_names_are_used(objects: dict[str, bytes]) -> None:
    chosen = AnnotationSettings(
        kinds=KindProperty("kind"),
        tags=(("roi", "roi:{}"), ("kind", "<{}>")),
        props=(("conf", MemberName("confidence", End.B)), ("kind", MemberName(""))),
        bodies=(("pre_body", End.B),),
    )

    async def read(reader: AnnotationReader) -> list[bytes]:
        return [
            await reader.elements(box_of((0, 0, 0), (64, 64, 64))),
            await reader.elements(box_of((100, 200, 300), ONE)),
            await reader.tag("roi:FB", with_relationships=False),
            await reader.tag("<chemical>", with_relationships=False),
            await reader.tag("roi:", with_relationships=False),
            await reader.label(6, with_relationships=False),
        ]

    gap, pre, tagged, chemical, no_tag, body = ask(objects, read, chosen)
    assert json.loads(gap) == [
        {
            "Pos": [60, 50, 20],
            "Kind": "Gap",
            "Tags": ["<gap>", "roi:EB"],
            "Prop": {"confidence": "0.25", "roi": "EB"},
            "Rels": [{"Rel": "GroupedWith", "To": [70, 40, 10]}],
        }
    ]
    (element,) = json.loads(pre)
    assert element["Tags"] == ["<chemical>", "roi:EB", "roi:FB"]
    assert element["Prop"] == {}
    assert [each["Pos"] for each in json.loads(tagged)] == [[90, 190, 299], [100, 200, 300]]
    assert len(json.loads(chemical)) == 3
    assert no_tag == b"[]"
    assert [each["Pos"] for each in json.loads(body)] == [[60, 50, 20]]


def test_points_have_the_kinds_of_their_enumeration() -> None:
    labels = ["PreSyn", "post-synaptic", "gap junction", "whatever"]
    prop = {"id": "type", "type": "int8", "enum_values": [-1, 0, 1, 2], "enum_labels": labels}
    notes = [
        Note(number, [(5.0, 5.0, 5.0)], values={"type": value})
        for number, value in enumerate([0, 2, -1, 1, 5, -1])
    ]
    objects = write_table(Table("point", notes, [prop], grids=[Grid((1, 1, 1), (10, 10, 10))]))
    found = json.loads(ask(objects, lambda reader: reader.elements(box_of((5, 5, 5), ONE))))
    assert [(element["Kind"], element["Prop"]) for element in found] == [
        ("PostSyn", {"type": "post-synaptic"}),
        ("PreSyn", {"type": "PreSyn"}),
        ("Gap", {"type": "gap junction"}),
        ("Note", {}),  # "whatever" and 5 differ
    ]
    fixed = AnnotationSettings(kinds=(Kind.GAP, Kind.GAP))
    (only,) = json.loads(ask(objects, lambda reader: reader.elements(box_of((5, 5, 5), ONE)), fixed))
    assert only["Kind"] == "Gap"


def test_values_are_written_as_text() -> None:
    types = {
        "a": "float32",
        "b": "float32",
        "c": "uint32",
        "d": "int32",
        "e": "bool",
        "f": "rgb",
        "g": "rgba",
        "h": "float32",
        "i": "bool",
    }
    values = {
        "a": 1e-7,
        "b": 16777216.0,
        "c": 2**32 - 1,
        "d": -(2**31),
        "e": 1,
        "f": (255, 0, 10),
        "g": (1, 2, 3, 255),
        "h": float("nan"),
        "i": 0,
    }
    properties = [{"id": name, "type": kind} for name, kind in types.items()]
    table = Table("point", [Note(1, [(5.0, 5.0, 5.0)], values=values)], properties)
    (found,) = json.loads(ask(write_table(table), lambda reader: reader.elements(box_of((5, 5, 5), ONE))))
    assert found["Prop"] == {
        "a": "0.0000001",
        "b": "16777216",
        "c": "4294967295",
        "d": "-2147483648",
        "e": "true",
        "f": "#ff000a",
        "g": "#010203ff",
        "h": "NaN",
        "i": "false",
    }


def test_a_synapse_across_borders_is_the_same_in_every_answer() -> None:
    """A T-bar with eight PSDs, on both sides of the borders of cells and blocks."""
    start = (64, 64, 64)
    stops = [(64 + dx, 64 + dy, 64 + dz) for dx in (-9, 9) for dy in (-9, 9) for dz in (-9, 9)]
    notes = [
        Note(
            number,
            [start, stop],
            [start, stop],
            {"conf_post": number / 8, "conf_pre": 0.5},
            {"pre_body": [1], "post_body": [2 + number % 2]},
        )
        for number, stop in enumerate(stops)
    ]
    properties = [{"id": "conf_post", "type": "float32"}, {"id": "conf_pre", "type": "float32"}]
    grids = [Grid((2, 2, 2), (64, 64, 64)), Grid((4, 4, 4), (32, 32, 32))]
    table = Table("line", notes, properties, ("pre_body", "post_body"), grids)
    objects = write_table(table, list_cells(table, {note.id: note.id % 2 for note in notes}))

    async def check(reader: AnnotationReader) -> None:
        blocks = json.loads(await reader.blocks(box_of((0, 0, 0), (128, 128, 128))))
        assert len(blocks) == 8
        elements = json.loads(await reader.elements(box_of((0, 0, 0), (128, 128, 128))))
        assert sorted(map(str, elements)) == sorted(str(each) for block in blocks.values() for each in block)
        (tbar,) = json.loads(await reader.label(1, with_relationships=True))
        assert tbar in blocks["1,1,1"]
        assert tbar["Prop"] == {"conf": "0.5"}
        assert sorted(each["To"] for each in tbar["Rels"]) == sorted(map(list, stops))
        psds = [json.loads(await reader.label(body, with_relationships=True)) for body in (2, 3)]
        assert sorted(str(each) for body in psds for each in body) == sorted(
            str(each) for each in elements if each["Kind"] == "PostSyn"
        )
        assert json.loads(await reader.elements(box_of(start, ONE))) == [tbar]
        assert await reader.count(2, Kind.POST_SYN) == 4

    ask(objects, check)
