"""Segment properties as annotations, through HTTP."""

import json
from pathlib import Path

from tests.companions import segment_objects, serving_from_bucket, serving_objects
from tests.serving import Server

MI1 = {"bodyid": 77, "label": "Mi1", "name": "Mi1", "size": 7, "tags": ["a"]}
TM3 = {"bodyid": 5, "label": "Tm3", "name": "Tm3", "size": 50, "tags": ["a", "b"]}
BIG = {"bodyid": 9007199254740993, "label": "big", "name": "big", "size": 4000, "tags": []}


async def get(server: Server, path: str, body: bytes = b"", method: str = "GET") -> object:
    async with server.ask(method, f"{server.node}/seg_annotations/{path}", None, body or None) as answer:
        assert answer.status == 200, await answer.text()
        return json.loads(await answer.read())


async def test_objects_are_those_of_the_file(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        assert await get(server, "all") == [TM3, MI1, BIG]
        assert await get(server, "key/77") == MI1
        assert await get(server, "keys") == ["5", "77", "9007199254740993"]
        assert await get(server, "keyrange/6/100") == ["77"]
        assert await get(server, "keyrangevalues/5/77?json=true&fields=size") == {
            "5": {"bodyid": 5, "size": 50},
            "77": {"bodyid": 77, "size": 7},
        }
        assert await get(server, "keyvalues?json=true", b"[77, 78]") == {"77": MI1}
        assert await get(server, "fields") == ["bodyid", "label", "name", "size", "tags"]
        assert await get(server, "fields?counts=true") == dict.fromkeys(TM3, 3)


async def test_a_range_may_be_bounded_by_characters_before_and_after_all_numbers(tmp_path: Path) -> None:
    """Neuclease asks for all bodies with 0 and {, or a blank and ~ (keyvalue/_keyvalue.py, e113d84)."""
    async with serving_objects(tmp_path, segment_objects()) as server:
        everything = ["5", "77", "9007199254740993"]
        for first, last in (
            ("0", "%7B"),
            ("%20", "%7F"),
            ("0", "zzz"),
            ("-1", "a"),
            ("0", "%C3%A9"),
        ):
            assert await get(server, f"keyrange/{first}/{last}") == everything, (first, last)
            found = await get(server, f"keyrangevalues/{first}/{last}?json=true")
            assert found == {"5": TM3, "77": MI1, "9007199254740993": BIG}
        assert await get(server, "keyrange/6/z") == everything[1:]
        for first, last in (("a", "b"), ("a", "9"), ("0", "%20")):
            assert await get(server, f"keyrange/{first}/{last}") == []
        for bound in ("1x", "99999999999999999999"):
            status, text = await server.error(f"{server.node}/seg_annotations/keyrange/0/{bound}")
            assert (status, text.startswith(f'strconv.ParseUint: parsing "{bound}"')) == (400, True)


async def test_queries_find_bodies(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        for query, expected in {
            b'{"name": "Mi1"}': [MI1],
            b'{"name": ["Mi1", "Tm3"], "size": 50}': [TM3],
            b'{"tags": "b"}': [TM3],
            b'{"size": [7, 4000]}': [MI1, BIG],
            b'[{"bodyid": 9007199254740993}, {"bodyid": [5, 6]}]': [TM3, BIG],
            b'{"name": "exists/1", "nosuch": "exists/0"}': [TM3, MI1, BIG],
            b'{"size": true}': [],
        }.items():
            assert await get(server, "query", query) == expected
            assert await get(server, "query", query, "POST") == expected
        assert await get(server, "query?onlyid=true", b'{"tags": "a"}') == [5, 77]


async def test_the_file_is_read_once(tmp_path: Path) -> None:
    async with serving_from_bucket(tmp_path, segment_objects()) as (server, bucket):
        for _ in range(3):
            await get(server, "all")
        assert bucket.counts["seg/properties/info"] == 1
