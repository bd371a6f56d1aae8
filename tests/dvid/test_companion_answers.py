"""Instances of keyvalue and neuronjson give the recorded answers of a real DVID, request by request.

The values behind ours are those that DVID held. `DIFFERENT` lists every answer that differs on purpose.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from dvidpc.data.instance import Data, Instance
from dvidpc.data.keyvalue import KeyvalueData, Value
from dvidpc.data.neuronjson import NeuronjsonData
from dvidpc.dvid.services import SERVICES
from dvidpc.formats.dvid.go_json import JsonValue
from dvidpc.names import Companion
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

HERE = Path(__file__).parents[1] / "recorded" / "companions"
ROOT = "5ca1ab1e0dd5400fbe5700d5e1f5eed5"
CASES: list[dict[str, Any]] = json.loads((HERE / "index.json").read_text())


def body_of(case: Mapping[str, Any]) -> bytes:
    if "file" not in case:
        return b""
    data = (HERE / case["file"]).read_bytes()
    return gzip.decompress(data) if case["file"].endswith(".gz") else data


def instance_of(case: Mapping[str, Any]) -> str:
    return str(case["path"]).split("/")[4]


def call_of(case: Mapping[str, Any]) -> str:
    """The path below the instance, with its query."""
    return str(case["path"]).split("/", 5)[5]


DIFFERENT: Final[Mapping[str, tuple[int, str]]] = {
    "OPTIONS": (200, "a browser asks what it may do, and gets no data"),
    "DELETE": (400, "every instance can only handle GET or POST, in DVID's words for image types"),
    "mutations": (200, "nothing was ever written here, so there are no mutations"),
    "info": (200, "the UUID of the data and the place where they are stored are ours"),
    "show=": (200, "no property has a user or a time, so show adds no fields"),
    "fields": (200, "the same, without the fields for users and times"),
    "fieldtimes": (200, "nothing records when a field was set"),
    "schema": (404, "a precomputed volume has no schema"),
    "invalid JSON": (400, "DVID sends values that are not JSON as JSON; we do so with check=false only"),
    "error in a 200": (400, "DVID sends an error as the end of a 200"),
}
"""The status of each answer that differs on purpose, and why."""


def difference_of(case: Mapping[str, Any]) -> str | None:
    """Which of DIFFERENT a case is; None: our answer is the recorded one."""
    call, method = call_of(case), str(case["method"])
    endpoint = call.split("?")[0].split("/")[0]
    found = body_of(case)
    succeeded = case["status"] == 200
    is_filled = succeeded and len(found) > 2
    conditions = {
        method: method in {"OPTIONS", "DELETE"},
        endpoint: endpoint in {"mutations", "info", "fieldtimes"} and succeeded,
        "schema": endpoint in {"schema", "json_schema"} and succeeded,
        "show=": "show=" in call and is_filled,
        "fields": endpoint == "fields" and is_filled,
        "error in a 200": succeeded and b"strconv." in found,
        "invalid JSON": is_filled
        and call.endswith("json=true")
        and any(text in found for text in (b"hello, world", b'_swc":')),
    }
    return next((name for name, applies in conditions.items() if applies), None)


def parse_pairs(message: bytes) -> Iterator[tuple[str, bytes]]:
    """The keys and values of a recorded `KeyValues` message, whose parts have less than 16 KiB."""

    def field_at(at: int) -> tuple[bytes, int]:
        size, at = message[at + 1], at + 2
        if size > 0x7F:
            size, at = size - 0x80 + (message[at] << 7), at + 1
        return message[at : at + size], at + size

    at = 0
    while at < len(message):
        _, end = field_at(at)
        key, at = field_at(end - len(field_at(at)[0]))
        value = b""
        if at < end:
            value, at = field_at(at)
        yield key.decode(), value


@dataclass
class RecordedValues:
    """`Values` that DVID held."""

    values: dict[str, bytes]

    async def get(self, key: str, /) -> Value | None:
        return Value(self.values[key]) if key in self.values else None

    async def has(self, key: str, /) -> bool:
        return key in self.values

    async def keys(self, first: str, last: str | None, /) -> list[str]:
        return sorted(key for key in self.values if first <= key and (last is None or key <= last))

    async def prepare(self) -> None:
        pass

    def forget(self) -> None:
        pass


@dataclass
class RecordedObjects:
    """The annotations that DVID held; also their source."""

    found: dict[int, dict[str, JsonValue]]
    ids: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = np.array(sorted(self.found), np.uint64)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(sorted({name for each in self.found.values() for name in each}))

    def find(self, segment_id: int, /) -> dict[str, JsonValue] | None:
        return self.found.get(segment_id)

    def objects(self, first: int = 0, last: int = 2**64 - 1) -> Iterator[tuple[int, dict[str, JsonValue]]]:
        return ((key, self.found[key]) for key in sorted(self.found) if first <= key <= last)

    async def load(self) -> "RecordedObjects":
        return self


def recorded(instance: str, call: str) -> bytes:
    [case] = [
        case
        for case in CASES
        if (instance_of(case), call_of(case), case["method"]) == (instance, call, "GET")
        and "request_headers" not in case
    ][:1]
    return body_of(case)


def recorded_values(instance: str) -> RecordedValues:
    """The values of every key; those whose value was not recorded are empty."""
    values: dict[str, bytes] = dict.fromkeys(json.loads(recorded(instance, "keys")), b"")
    for case in CASES:
        call = call_of(case)
        if instance_of(case) == instance and case["method"] == "GET" and case["status"] == 200:
            if call.startswith("keyrangevalues/") and "?" not in call:
                values.update(parse_pairs(body_of(case)))
            elif call.startswith("key/") and "?" not in call and "request_headers" not in case:
                values[unquote(call.removeprefix("key/"))] = body_of(case)
    return RecordedValues(values)


def make_data(pool: Executor) -> dict[str, Data]:
    objects = {
        each["bodyid"]: each for each in json.loads(recorded("segmentation_annotations", "all?fields="))
    }
    return {
        "segmentation_meshes": KeyvalueData(Companion.MESHES, recorded_values("segmentation_meshes")),
        "segmentation_skeletons": KeyvalueData(
            Companion.SKELETONS, recorded_values("segmentation_skeletons")
        ),
        "kv_empty": KeyvalueData(Companion.MESHES, RecordedValues({})),
        "segmentation_annotations": NeuronjsonData(RecordedObjects(objects), pool),
        "nj_empty": NeuronjsonData(RecordedObjects({}), pool),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    directory = tmp_path_factory.mktemp("recorded")
    write_volume(directory / "em", VolumeSpec())
    text = config_text({"em": directory / "em"}).replace(UUID, ROOT)
    with ThreadPoolExecutor(1) as pool:
        async with serving(text, directory, {}) as running:
            running.app[SERVICES].repo.add(
                Instance(name, "0" * 32, "em", "file:///recorded", data)
                for name, data in make_data(pool).items()
            )
            yield running


def name_of(case: Mapping[str, Any]) -> str:
    return str(case["id"]).partition("/")[2]


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.asyncio(loop_scope="module")
async def test_answers_are_dvids(case: dict[str, Any], server: Server) -> None:
    difference = difference_of(case)
    body = case.get("request_body", "").encode() or base64.b64decode(case.get("request_body_base64", ""))
    headers = {"User-Agent": "recorder", **case.get("request_headers", {})}
    async with server.ask(case["method"], case["path"], headers, body or None) as answer:
        found = await answer.read()
        if difference is not None:
            assert answer.status == DIFFERENT[difference][0]
            return
        assert answer.status == case["status"]
        expected = body_of(case)
        if b"See API help at" in expected:
            expected = expected.replace(b"vm:18401", server.app[SERVICES].facts.host.encode())
        if case.get("varies") == "order":
            assert Counter(map(str, json.loads(found))) == Counter(map(str, json.loads(expected)))
        elif call_of(case).startswith("all") and found:
            assert sorted(json.loads(found), key=str) == sorted(json.loads(expected), key=str)
        else:
            assert found == expected
        for name, value in case["headers"].items():
            if case["method"] == "GET" and found:
                assert answer.headers[name] == value


def test_every_difference_is_met_by_a_recorded_answer() -> None:
    assert {difference_of(case) for case in CASES} == {None, *DIFFERENT}
