"""The documents that describe the server have DVID's keys and types."""

import json
from dataclasses import replace

from dvidpc.data.repo import Repo
from dvidpc.dvid.documents.server_documents import (
    LoadCounters,
    compiled_types,
    groupcache,
    load,
    server_info,
    types,
)
from dvidpc.formats.dvid.go_json import encode
from tests.dvid.recorded import API, BODIES, CREATED, FACTS, ROOT, shape


def test_types_are_dvids_to_the_byte(repo: Repo) -> None:
    assert encode(types(repo)).decode() == BODIES["/api/server/types"]
    assert encode(types(Repo(ROOT, "", "", 0))) == b"{}"


def test_groupcache_is_dvids_to_the_byte() -> None:
    assert encode(groupcache()).decode() == BODIES["/api/server/groupcache"]


def test_compiled_types_are_dvids_without_roi() -> None:
    recorded = json.loads(BODIES["/api/server/compiled-types"])
    assert recorded.pop("roi")
    not_in_it = ("annotation", "keyvalue", "labelblk", "labelmap", "labelsz", "neuronjson")
    for name in not_in_it:  # that DVID was built without them
        recorded[name] = f"github.com/janelia-flyem/dvid/datatype/{name}"
    assert compiled_types(API.data_types()) == recorded
    assert list(compiled_types(API.data_types())) == sorted(recorded)


def test_server_info_is_dvids_strings_in_dvids_order() -> None:
    info = server_info(FACTS, CREATED + 3.5)
    assert shape(encode(info)) == shape(BODIES["/api/server/info"])
    assert info["Server uptime"] == "3.5s"
    assert info["Server time"] == "2026-11-22 13:19:03.75 +0000 UTC"
    read_only = server_info(replace(FACTS, mode="read only"), CREATED - 1)
    assert read_only["Mode"] == "read only"
    assert read_only["Server uptime"] == "0s"
    assert list(read_only) == sorted(read_only)


def test_load_has_dvids_keys_and_our_numbers() -> None:
    document = load(LoadCounters(get_requests=7, bytes_read=4096, tasks=16, handlers_active=50))
    assert shape(encode(document)) == shape(BODIES["/api/load"])
    assert {key: value for key, value in document.items() if value} == {
        "GET requests": 7,
        "goroutines": 16,
        "handlers active": 50,
        "value bytes read": 4096,
    }
