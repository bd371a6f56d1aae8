"""A collection answers as DVID's `annotation` does: documents, elements to the byte, words of refusals."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.serving import UUID, Server
from tests.synapses import BIG, serving_lines, writer_of

AT = f"/api/node/{UUID}/syn"
COUNTS = f"/api/node/{UUID}/syn_labelsz"
FB = '{"conf":"0.5","kind":"chemical","roi":"FB"}'
EB = '{"conf":"0.875","kind":"chemical","roi":"EB"}'
GAP = '{"conf":"0.25","kind":"gap","roi":"EB"}'
TO_PRE = '[{"Rel":"PostSynTo","To":[100,200,300]}]'
POST_42 = f'{{"Pos":[90,190,299],"Kind":"PostSyn","Tags":[],"Prop":{FB},"Rels":{TO_PRE}}}'
PRE = (
    '{"Pos":[100,200,300],"Kind":"PreSyn","Tags":[],"Prop":{"kind":"chemical"},'
    '"Rels":[{"Rel":"PreSynTo","To":[90,190,299]},{"Rel":"PreSynTo","To":[110,205,302]}]}'
)
POST_41 = f'{{"Pos":[110,205,302],"Kind":"PostSyn","Tags":[],"Prop":{EB},"Rels":{TO_PRE}}}'
POST_7 = (
    f'{{"Pos":[60,50,20],"Kind":"PostSyn","Tags":[],"Prop":{GAP},'
    '"Rels":[{"Rel":"PostSynTo","To":[70,40,10]}]}'
)
PRE_7 = (
    f'{{"Pos":[70,40,10],"Kind":"PreSyn","Tags":[],"Prop":{GAP},'
    '"Rels":[{"Rel":"PreSynTo","To":[60,50,20]}]}'
)


def without_rels(element: str) -> str:
    return element[: element.index(',"Rels"')] + "}"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving_lines(tmp_path) as running:
        yield running


ANSWERS = [
    ("elements/64_64_64/64_160_256", f"[{POST_42},{PRE},{POST_41}]"),
    ("elements/1_1_1/60_50_20", f"[{POST_7}]"),
    ("elements/1_1_1/60_50_20/", f"[{POST_7}]"),
    ("elements/8_8_8/0_0_0", "null"),
    ("elements/0_8_8/60_50_20", "null"),
    ("elements/-5_8_8/60_50_20", "null"),
    ("elements/100_100_100/-100_-100_-100", "null"),
    ("blocks/64_64_64/64_160_256", f'{{"1,2,4":[{POST_42}],"1,3,4":[{PRE},{POST_41}]}}'),
    ("blocks/1_1_1/127_255_319", f'{{"1,3,4":[{PRE},{POST_41}]}}'),
    ("blocks/64_64_64/640_640_640", "{}"),
    (
        "all-elements",
        f'{{"0,0,0":[{POST_7}],"1,0,0":[{PRE_7}],"1,2,4":[{POST_42}],"1,3,4":[{PRE},{POST_41}]}}',
    ),
    ("label/5", f"[{without_rels(POST_7)},{without_rels(PRE)}]"),
    ("label/5?relationships=false", f"[{without_rels(POST_7)},{without_rels(PRE)}]"),
    ("label/5?relationships=true", f"[{POST_7},{PRE}]"),
    ("label/6?relationships=true", f"[{PRE_7},{POST_42}]"),
    (f"label/{BIG}", f"[{without_rels(POST_41)}]"),
    ("label/77", "[]"),
    (f"label/{2**64 - 1}", "[]"),
    ("tag/x", "[]"),
]


@pytest.mark.parametrize(("call", "expected"), ANSWERS, ids=[call for call, _ in ANSWERS])
async def test_an_answer_is_dvids_to_the_byte(server: Server, call: str, expected: str) -> None:
    async with server.ask("GET", f"{AT}/{call}") as response:
        body = await response.read()
        assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert body.decode() == expected


SIZE = "Expect size and offset to follow '{}' in GET request"
ROI = f"ROI specification was not parsable (roi:R,{UUID}): invalid data instance name\n"
REFUSALS = [
    ("elements", SIZE.format("elements")),
    ("elements/1_1_1", SIZE.format("elements")),
    ("elements/1_2/0_0_0", 'String "1_2" cannot be converted to a 3d point'),
    ("elements/1_1_1/a_0_0", 'strconv.ParseInt: parsing "a": invalid syntax'),
    ("elements/1_1_1/0_0_2147483648", 'strconv.ParseInt: parsing "2147483648": value out of range'),
    ("blocks/1_1_1", SIZE.format("blocks")),
    ("blocks/x/0_0_0", 'String "x" cannot be converted to a 3d point'),
    ("all-elements/5", "Do not expect additional parameters after 'all-elements' in GET request"),
    ("label", "Must include label after 'label' endpoint."),
    ("label/0", "Label 0 is protected background value and cannot be used for query."),
    ("label/x", 'strconv.ParseUint: parsing "x": invalid syntax'),
    ("label/18446744073709551616", 'strconv.ParseUint: parsing "18446744073709551616": value out of range'),
    (
        "label/5?relationships=verbose",
        "relationships=verbose is not supported by this server; use relationships=true",
    ),
    ("tag", "Must include tag string after 'tag' endpoint."),
    ("roi", "Expect ROI specification to follow 'roi' in GET request"),
    ("roi/a,b,c", 'Bad ROI specification: "a,b,c"'),
    ("roi/R", ROI),
    ("roi/R,abc", "ROI specification was not parsable (roi:R,abc): invalid data instance name\n"),
    ("scan", 'data "syn" has no key-value pairs: "scan" endpoint is not supported'),
    ("scan/5", "Do not expect additional parameters after 'scan' in GET request"),
    ("element/1_2_3", "Only DELETE action is available on 'element' endpoint."),
    ("move/1_2_3/4_5_6", "Only POST action is available on 'move' endpoint."),
    ("labels", "Only POST action is available on 'labels' endpoint."),
    ("reload", "Only POST action is available on 'reload' endpoint."),
    ("sync", "Only POST allowed to sync endpoint"),
]


@pytest.mark.parametrize(("call", "words"), REFUSALS, ids=[call for call, _ in REFUSALS])
async def test_a_request_is_refused_in_dvids_words(server: Server, call: str, words: str) -> None:
    status, text = await server.error(f"{AT}/{call}")
    assert (status, text) == (400, f"{words} ({AT}/{call.partition('?')[0]}).\n")


async def test_an_unknown_endpoint_names_the_help(server: Server) -> None:
    status, text = await server.error(f"{AT}/elephants")
    assert status == 400
    assert text.startswith(f'Bad API call ({AT}/elephants) for data "syn".  See API help at http://')
    assert text.endswith("/api/help/annotation\n")
    assert b"elements/<size>/<offset>" in await server.get("/api/help/annotation")
    assert (await server.get(f"{AT}/help")).startswith(await server.get("/api/help/annotation"))
    assert b"count/<label>/<element>" in await server.get(f"{COUNTS}/help")


@pytest.mark.parametrize("call", ["elements", "label/5", "move/1_2_3/4_5_6", "reload", "tags"])
async def test_a_post_is_refused(server: Server, call: str) -> None:
    async with server.ask("POST", f"{AT}/{call}", body=b"[]") as response:
        text = await response.text()
    endpoint = call.partition("/")[0]
    assert response.status == 400
    assert text.startswith(f'Cannot do POST on endpoint "{endpoint}" of locked node {UUID}')


async def test_a_delete_is_refused(server: Server) -> None:
    async with server.ask("DELETE", f"{AT}/element/1_2_3") as response:
        assert response.status == 400
        assert "can only handle GET or POST" in await response.text()


@pytest.mark.parametrize(
    "call", ["elements/1_1_1/60_50_20", "blocks/1_1_1/0_0_0", "all-elements", "label/5", "tag/x", "info"]
)
async def test_head_reads_nothing_and_has_no_body(server: Server, call: str) -> None:
    async with server.ask("HEAD", f"{AT}/{call}") as response:
        assert (response.status, await response.read()) == (200, b"")
        assert response.headers["Content-Type"] == "application/json"
        assert call == "info" or "Content-Length" not in response.headers


async def test_the_info_names_the_segmentation_and_where_it_lies(server: Server) -> None:
    info = json.loads(await server.get(f"{AT}/info"))
    base = info["Base"]
    assert info["Extended"] == {}
    assert base["TypeName"] == "annotation"
    assert base["TypeURL"] == "github.com/janelia-flyem/dvid/datatype/annotation"
    assert (base["TypeVersion"], base["Name"]) == ("0.1", "syn")
    assert (base["Compression"], base["Checksum"]) == ("LZ4 compression, level -1", "No checksum")
    assert base["Syncs"] == ["seg"]
    assert list(base["Tags"]) == sorted(base["Tags"])
    assert {name: json.loads(text) for name, text in base["Tags"].items()} == {
        "BlockSize": [512, 512, 512],
        "MaxDownresLevel": 0,
        "MaxPoint": [127, 255, 319],
        "MinPoint": [0, 0, 0],
        "VoxelSize": [8, 8, 8],
    }
    assert json.loads(await server.get(f"{AT}/tags")) == {"Tags": base["Tags"]}
    repos = json.loads(await server.get("/api/repos/info"))
    assert repos[UUID]["DataInstances"]["syn"] == info
    assert json.loads(await server.get("/api/server/compiled-types"))["annotation"]


COUNTED = [
    ("count/5/PreSyn", '{"Label":5,"PreSyn":1}'),
    ("count/5/PostSyn", '{"Label":5,"PostSyn":1}'),
    ("count/5/AllSyn", '{"Label":5,"AllSyn":2}'),
    ("count/5/Gap", '{"Label":5,"Gap":0}'),
    ("count/77/PreSyn", '{"Label":77,"PreSyn":0}'),
    ("count/0/PreSyn", '{"Label":0,"PreSyn":0}'),
    (f"count/{BIG}/PostSyn", f'{{"Label":{BIG},"PostSyn":1}}'),
    ("top/0/PreSyn", "[]"),
    ("top/1/PreSyn", '[{"Label":5,"PreSyn":1}]'),
    ("top/9/PreSyn", '[{"Label":5,"PreSyn":1},{"Label":6,"PreSyn":1}]'),
    ("top/2/AllSyn", '[{"Label":5,"AllSyn":2},{"Label":6,"AllSyn":2}]'),
    ("top/9/Gap", "[]"),
    ("threshold/2/AllSyn", '[{"Label":5,"AllSyn":2},{"Label":6,"AllSyn":2}]'),
    ("threshold/1/AllSyn?offset=2", f'[{{"Label":{BIG},"AllSyn":1}}]'),
    ("threshold/0/AllSyn?offset=1&n=1", '[{"Label":6,"AllSyn":2}]'),
    ("threshold/3/AllSyn", "[]"),
]


@pytest.mark.parametrize(("call", "expected"), COUNTED, ids=[call for call, _ in COUNTED])
async def test_elements_of_a_body_are_counted(server: Server, call: str, expected: str) -> None:
    async with server.ask("GET", f"{COUNTS}/{call}") as response:
        body = await response.text()
        assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert body == expected


async def test_head_of_counts_has_no_body_and_no_length(server: Server) -> None:
    for call in ("count/5/PreSyn", "counts/PreSyn", "top/3/PreSyn", "threshold/3/PreSyn"):
        async with server.ask("HEAD", f"{COUNTS}/{call}") as response:
            assert (response.status, await response.read()) == (200, b"")
            assert "Content-Length" not in response.headers


async def test_elements_of_many_bodies_are_counted(server: Server) -> None:
    async with server.ask("GET", f"{COUNTS}/counts/PreSyn", body=b"[6, 77, 5]") as response:
        assert json.loads(await response.read()) == [
            {"Label": 6, "PreSyn": 1},
            {"Label": 77, "PreSyn": 0},
            {"Label": 5, "PreSyn": 1},
        ]
    async with server.ask("GET", f"{COUNTS}/counts/PreSyn", body=b'["a"]') as response:
        text = await response.text()
    assert response.status == 400
    assert text.startswith("Bad JSON label array sent in 'counts' query: json: cannot unmarshal string")


NOT_COUNTED = [
    ("count/5", "Must include label and element type after 'count' endpoint."),
    ("count/x/PreSyn", 'strconv.ParseUint: parsing "x": invalid syntax'),
    ("count/5/presyn", 'unknown index type specified ("presyn")'),
    (
        "count/5/Voxels",
        'data "syn_labelsz" counts elements, not voxels; use PostSyn, PreSyn, Gap, Note, AllSyn',
    ),
    ("counts", "Must include element type after 'counts' endpoint."),
    ("top/3", "Must include N and element type after 'top' endpoint."),
    ("top/4294967296/PreSyn", 'strconv.ParseUint: parsing "4294967296": value out of range'),
    ("top/3/Bodies", 'unknown index type specified ("Bodies")'),
    ("threshold/3", "Must include threshold # and element type after 'threshold' endpoint."),
    ("threshold/3/PreSyn?offset=x", 'bad offset specified in query string ("x")'),
    ("threshold/3/PreSyn?n=x", 'bad num specified in query string ("x")'),
    ("threshold/3/PreSyn?n=-1", "bad number of requested labels (-1)"),
    ("reload", "Only POST action is available on 'reload' endpoint."),
]


@pytest.mark.parametrize(("call", "words"), NOT_COUNTED, ids=[call for call, _ in NOT_COUNTED])
async def test_what_is_not_counted_is_refused(server: Server, call: str, words: str) -> None:
    status, text = await server.error(f"{COUNTS}/{call}")
    assert (status, text) == (400, f"{words} ({COUNTS}/{call.partition('?')[0]}).\n")


async def test_the_info_of_the_counts_names_the_annotations(server: Server) -> None:
    info = json.loads(await server.get(f"{COUNTS}/info"))
    assert info["Extended"] == {"StaticROI": ""}
    assert (info["Base"]["TypeName"], info["Base"]["Syncs"]) == ("labelsz", ["syn"])
    assert info["Base"]["TypeURL"] == "github.com/janelia-flyem/dvid/datatype/labelsz"


async def test_an_answer_has_an_etag_until_the_collection_changes(server: Server) -> None:
    headers = {"User-Agent": "test"}
    async with server.ask("GET", f"{AT}/label/5", headers) as response:
        etag = response.headers["ETag"]
    async with server.ask("GET", f"{AT}/label/5", {**headers, "If-None-Match": etag}) as response:
        assert response.status == 304
    async with server.ask("GET", f"{AT}/label/6", {**headers, "If-None-Match": etag}) as response:
        assert response.status == 200


async def test_tags_are_those_that_the_configuration_names(tmp_path: Path) -> None:
    async with serving_lines(tmp_path, 'tags = { roi = "roi:{}" }\n') as server:
        found = json.loads(await server.get(f"{AT}/tag/roi:FB?relationships=true"))
        assert [element["Pos"] for element in found] == [[90, 190, 299], [100, 200, 300]]
        assert [element["Tags"] for element in found] == [["roi:FB"], ["roi:EB", "roi:FB"]]
        assert found[0]["Rels"] == [{"Rel": "PostSynTo", "To": [100, 200, 300]}]
        assert json.loads(await server.get(f"{AT}/tag/EB")) == []


def write_points(directory: Path) -> None:
    writer = writer_of("point", [], [{"id": "size", "type": "uint8"}])
    writer.add_point([10, 20, 30], 1, size=5)
    writer.write(directory)


async def test_a_collection_without_bodies_says_so(tmp_path: Path) -> None:
    async with serving_lines(tmp_path, write=write_points) as server:
        status, text = await server.error(f"{AT}/label/5")
        reason = 'data "syn" has no relationship to segments: "label" endpoint is not supported'
        assert (status, text) == (400, f"{reason} ({AT}/label/5).\n")
        assert (await server.error(f"{COUNTS}/count/5/PreSyn"))[0] == 400
        element = '{"Pos":[10,20,30],"Kind":"Note","Tags":[],"Prop":{"size":"5"},"Rels":[]}'
        assert (await server.get(f"{AT}/elements/64_64_64/0_0_0")).decode() == f"[{element}]"
        info: dict[str, Any] = json.loads(await server.get(f"{AT}/info"))
        assert info["Base"]["Syncs"] == ["seg"]


async def test_a_request_beyond_a_limit_is_refused_before_it_is_answered(tmp_path: Path) -> None:
    async with serving_lines(tmp_path, "[limits]\nmax_annotations = 2\n") as server:
        status, text = await server.error(f"{AT}/elements/64_64_64/64_160_256")
        assert status == 400
        assert "max_annotations" in text
        assert json.loads(await server.get(f"{AT}/label/{BIG}"))


async def test_damage_costs_the_answers_that_need_it(tmp_path: Path) -> None:
    async with serving_lines(tmp_path) as server:
        cell = tmp_path / "syn" / "spatial0" / "0_0_0"
        cell.write_bytes(cell.read_bytes()[:-1])
        for call in ("elements/1_1_1/60_50_20", "blocks/1_1_1/60_50_20", "all-elements"):
            status, text = await server.error(f"{AT}/{call}")
            assert status == 502
            assert "syn/spatial0/0_0_0" in text
            async with server.ask("HEAD", f"{AT}/{call}") as response:
                assert response.status == 200
        assert json.loads(await server.get(f"{AT}/label/5"))


async def test_it_is_not_served_before_the_volume_that_decides(tmp_path: Path) -> None:
    more = '[store.em]\nengine = "ngprecomputed"\nref = "http://127.0.0.1:1/em"\ninstance = "em"\n'
    async with serving_lines(tmp_path, more) as server:
        for name in ("syn", "syn_labelsz"):
            status, text = await server.error(f"/api/node/{UUID}/{name}/info")
            assert status == 503
            assert f'"{name}" is not served yet: store syn: waits for the volumes' in text
            assert "sync and voxel_size make it independent of them" in text
        status, text = await server.error("/readyz")
        assert status == 503
        assert "syn: waits for the volumes" in text
    section = 'sync = "seg"\nvoxel_size = [8, 8, 8]\n'
    async with serving_lines(tmp_path, section + more) as server:
        assert json.loads(await server.get(f"{AT}/label/5"))


def write_many(directory: Path) -> None:
    writer = writer_of("point")
    for number in range(6000):
        writer.add_point((number % 100, number // 100, number % 7), number)
    writer.write(directory)


async def test_everything_of_a_large_collection_is_streamed(tmp_path: Path) -> None:
    async with serving_lines(tmp_path, write=write_many) as server:
        async with server.ask("GET", f"{AT}/all-elements") as response:
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Transfer-Encoding"] == "chunked"
            streamed = await response.read()
        assert len(streamed) > 300_000
        assert streamed == await server.get(f"{AT}/blocks/128_128_64/0_0_0")
        assert sum(map(len, json.loads(streamed).values())) == 6000
