"""The documents against what a real DVID answered about the same volumes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import pytest

from dvidpc.data.image import VOXEL_TYPES, ImageData
from dvidpc.data.instance import Instance
from dvidpc.data.repo import Repo
from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.documents import bodies
from dvidpc.dvid.documents.bodies import LoadCounters, ServerFacts
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.help import help_page, type_help
from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.dvid.imageblk.metadata import metadata_document
from dvidpc.dvid.routes import ROUTES
from dvidpc.dvid.table import Api
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.types import Point
from dvidpc.web.page_routes import ROUTES as WEB_ROUTES
from tests.opened import image_instance

if TYPE_CHECKING:
    from dvidpc.volume.grid_store import GridStore

RECORDED = json.loads((Path(__file__).parents[2] / "recorded/dvid/responses.json").read_bytes())
ROOT: str = RECORDED["root"]
BODIES: dict[str, str] = {
    case["path"]: case["body"] for case in RECORDED["cases"] if case["method"] == "GET" and "body" in case
}
API = Api((*WEB_ROUTES, *ROUTES), FAMILIES)
CREATED = 1795353540.25
FACTS = ServerFacts(
    host="vm:8300",
    note="a note",
    rpc_address="localhost:8301",
    cores=2,
    maximum_cores=4,
    max_open_files=20000,
    version="0.1.0",
    started=CREATED,
    toml_location="config.toml",
)

Parsed: TypeAlias = "dict[str, Parsed] | list[Parsed] | str | float | bool | None"


class Volume(NamedTuple):
    """One scale of the volumes that the recorded DVID served."""

    name: str
    store_alias: str
    scale_level: int
    voxel_size: tuple[float, float, float]
    size: Point


VOLUMES = [
    Volume("sample1", "mystorage", 0, (8.0, 8.0, 8.0), Point(150, 130, 100)),
    Volume("sample1_1", "mystorage", 1, (16.5, 16.5, 33.25), Point(75, 65, 50)),
    Volume("jun", "jun", 0, (4.0, 4.0, 40.0), Point(150, 130, 100)),
    Volume("raw1", "rawstore", 0, (8.0, 8.0, 8.0), Point(150, 130, 100)),
    Volume("raw1_1", "rawstore", 1, (16.0, 16.0, 16.0), Point(128, 128, 64)),
]
# DVID names the voxel and the block after the last; we name the last.
MAX_INDICES = {
    "sample1": [2, 2, 1],
    "sample1_1": [1, 1, 0],
    "jun": [2, 2, 1],
    "raw1": [2, 2, 1],
    "raw1_1": [1, 1, 0],
}


def make_instance(volume: Volume) -> Instance[ImageData]:
    data = ImageData(
        voxel_type=VOXEL_TYPES["uint8blk"],
        scale_level=volume.scale_level,
        compression="jpeg compression, level 32",
        voxel_size=volume.voxel_size,
        min_point=Point(0, 0, 0),
        max_point=Point(*(length - 1 for length in volume.size)),
        block_size=64,
        grid=cast("GridStore", None),
        stored_as="jpeg chunks of 64 x 64 x 64",
        served_how="as stored",
    )
    return image_instance(volume.name, volume.store_alias, ROOT, data)


@pytest.fixture
def repo() -> Repo:
    repo = Repo(ROOT, "em", "EM volumes", created=CREATED)
    repo.add(make_instance(volume) for volume in VOLUMES)
    return repo


def leaves(value: Parsed, path: str = "") -> Iterator[tuple[str, object]]:
    """The path and value of everything in a document that holds nothing itself, in order."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from leaves(member, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, element in enumerate(value):
            yield from leaves(element, f"{path}/{index}")
    else:
        yield path, value


def shape(text: str | bytes) -> list[tuple[str, str]]:
    def kind(value: object) -> str:
        return "number" if isinstance(value, float) else type(value).__name__

    return [(path, kind(value)) for path, value in leaves(json.loads(text))]


def differing(ours: JsonValue, recorded: str) -> set[str]:
    """The last keys of all that differs."""
    mine, theirs = dict(leaves(json.loads(encode(ours)))), dict(leaves(json.loads(recorded)))
    assert mine.keys() == theirs.keys()
    return {path.rstrip("/0123456789").split("/")[-1] for path in mine if mine[path] != theirs[path]}


def test_the_repo_reads_as_dvids(repo: Repo) -> None:
    recorded = BODIES[f"/api/repo/{ROOT}/info"]
    assert shape(encode(bodies.repo_info(repo))) == shape(recorded)
    assert differing(bodies.repo_info(repo), recorded) == {
        "Log",
        "DataUUID",
        "KVStore",
        "LogStore",
        "MaxPoint",
        "MaxIndex",
        "Locked",
        "MutationID",
        "SavedMutationID",
        "Created",
        "Updated",
    }


def test_all_repos_are_the_one(repo: Repo) -> None:
    text = encode(bodies.repos_info(repo))
    assert shape(text) == shape(BODIES["/api/repos/info"])
    assert text == b'{"%b":%b}' % (ROOT.encode(), encode(bodies.repo_info(repo)))


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: volume.name)
def test_an_instance_reads_as_dvids_but_for_its_last_voxel(volume: Volume) -> None:
    info = bodies.instance_info(ROOT, make_instance(volume))
    recorded = BODIES[f"/api/node/{ROOT}/{volume.name}/info"]
    assert shape(encode(info)) == shape(recorded)
    assert differing(info, recorded) <= {"DataUUID", "KVStore", "LogStore", "MaxPoint", "MaxIndex"}

    ours = json.loads(encode(info))
    last = [length - 1 for length in volume.size]
    assert ours["Extended"]["MaxPoint"] == ours["Extents"]["MaxPoint"] == last
    assert ours["Extended"]["MaxIndex"] == MAX_INDICES[volume.name]


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: volume.name)
def test_metadata_reads_as_dvids_with_the_true_size(volume: Volume) -> None:
    metadata = metadata_document(make_instance(volume))
    recorded = BODIES[f"/api/node/{ROOT}/{volume.name}/metadata"]
    assert shape(encode(metadata)) == shape(recorded)
    assert differing(metadata, recorded) <= {"Size", "MaxPoint", "MaxIndex"}
    assert [axis["Size"] for axis in json.loads(encode(metadata))["Axes"]] == list(volume.size)


def test_voxel_sizes_are_written_as_in_dvid() -> None:
    text = encode(bodies.instance_info(ROOT, make_instance(VOLUMES[1])))
    assert b'"VoxelSize":[16.5,16.5,33.25]' in text
    assert b'"VoxelSize":[16.5,16.5,33.25]' in BODIES[f"/api/node/{ROOT}/sample1_1/info"].encode()


def test_a_volume_may_lie_anywhere() -> None:
    instance = make_instance(VOLUMES[0])
    data = replace(instance.data, min_point=Point(-65, 0, 64), max_point=Point(-1, 63, 64))
    shifted = replace(instance, data=data)
    info = json.loads(encode(bodies.instance_info(ROOT, shifted)))
    metadata = json.loads(encode(metadata_document(shifted)))
    assert info["Extents"] == {"MinPoint": [-65, 0, 64], "MaxPoint": [-1, 63, 64]}
    assert (info["Extended"]["MinIndex"], info["Extended"]["MaxIndex"]) == ([-2, 0, 1], [-1, 0, 1])
    assert [(axis["Size"], axis["Offset"]) for axis in metadata["Axes"]] == [(65, -65), (64, 0), (1, 64)]


def test_colour_has_four_values() -> None:
    instance = make_instance(VOLUMES[0])
    data = replace(instance.data, voxel_type=VOXEL_TYPES["rgba8blk"], compression="No compression")
    colour = replace(instance, data=data)
    info = json.loads(encode(bodies.instance_info(ROOT, colour)))
    assert info["Base"]["TypeName"] == "rgba8blk"
    assert info["Base"]["TypeURL"] == "github.com/janelia-flyem/dvid/datatype/imageblk/rgba8.go"
    labels = ["red", "green", "blue", "alpha"]
    assert info["Extended"]["Values"] == [{"DataType": "uint8", "Label": label} for label in labels]


def test_the_repo_log_tells_of_each_instance_in_dvids_words(repo: Repo) -> None:
    ours = json.loads(encode(bodies.repo_log(repo)))["log"]
    recorded = json.loads(BODIES[f"/api/repo/{ROOT}/log"])["log"]
    assert [line[20:] for line in ours] == [line[20:] for line in recorded]
    assert {line[:20] for line in ours} == {"2026-11-22T13:19:00Z"}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (f"/api/node/{ROOT}/note", bodies.node_note()),
        (f"/api/node/{ROOT}/log", bodies.node_log()),
        ("/api/user-latencies", UserLatencies().document()),
        ("/api/server/groupcache", bodies.groupcache()),
    ],
)
def test_what_never_changes_is_dvids_to_the_byte(path: str, document: JsonValue) -> None:
    assert encode(document).decode() == BODIES[path]


def test_types_and_branch_versions_are_dvids_to_the_byte(repo: Repo) -> None:
    assert encode(bodies.types(repo)).decode() == BODIES["/api/server/types"]
    assert encode(bodies.types(Repo(ROOT, "", "", 0))) == b"{}"
    for name in ("master", "nope"):
        recorded = BODIES[f"/api/repo/{ROOT}/branch-versions/{name}"]
        assert encode(repo.branch_versions(name)).decode() == recorded


def test_compiled_types_are_those_of_dvid_that_can_be_served() -> None:
    recorded = json.loads(BODIES["/api/server/compiled-types"])
    assert recorded.pop("roi")
    assert bodies.compiled_types(API.data_types()) == recorded
    assert list(bodies.compiled_types(API.data_types())) == list(recorded)


@pytest.mark.parametrize("action", ["status", "commit"])
def test_the_version_is_locked_where_dvids_was_not(action: str) -> None:
    assert shape(encode(bodies.node_status())) == shape(BODIES[f"/api/node/{ROOT}/{action}"])
    assert bodies.node_status() == {"Locked": True}


def test_server_info_is_dvids_strings_in_dvids_order() -> None:
    info = bodies.server_info(FACTS, CREATED + 3.5)
    assert shape(encode(info)) == shape(BODIES["/api/server/info"])
    assert info["Server uptime"] == "3.5s"
    assert info["Server time"] == "2026-11-22 13:19:03.75 +0000 UTC"
    read_only = bodies.server_info(replace(FACTS, mode="read only"), CREATED - 1)
    assert read_only["Mode"] == "read only"
    assert read_only["Server uptime"] == "0s"
    assert list(read_only) == sorted(read_only)


def test_load_has_dvids_keys_and_our_numbers() -> None:
    document = bodies.load(LoadCounters(get_requests=7, bytes_read=4096, tasks=16, handlers_active=50))
    assert shape(encode(document)) == shape(BODIES["/api/load"])
    assert {key: value for key, value in document.items() if value} == {
        "GET requests": 7,
        "goroutines": 16,
        "handlers active": 50,
        "value bytes read": 4096,
    }


def test_every_type_has_help_and_others_get_dvids_error() -> None:
    for name in VOXEL_TYPES:
        assert name in type_help(API, name)
        assert f"href=help/{name}>" in help_page(API, FACTS, "")
    with pytest.raises(RequestError) as caught:
        type_help(API, "nope")
    assert f"{caught.value} (/api/help/nope).\n" == BODIES["/api/help/nope"]


def test_help_escapes_what_the_configuration_says() -> None:
    hostile = "<script>alert('&')</script>"
    page = help_page(API, replace(FACTS, host=hostile, version=hostile), "")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_encoded_documents_are_made_once_and_anew_when_an_instance_comes(repo: Repo) -> None:
    encoded = EncodedDocuments(repo)
    before = encoded.repo_info()
    assert encoded.repo_info() is before
    assert before.body == encode(bodies.repo_info(repo))
    late = replace(make_instance(VOLUMES[0]), name="late")
    repo.add([late])
    assert encoded.repo_info().body == encode(bodies.repo_info(repo))
    assert encoded.repos_info().body == encode(bodies.repos_info(repo))
    assert encoded.instance_info(late) is encoded.instance_info(late)
    assert encoded.instance_info(late).body == encode(bodies.instance_info(ROOT, late))


def test_latencies_are_kept_by_user() -> None:
    users = UserLatencies()
    users.record("bob", pinged=CREATED, latency_ms=5)
    users.record("bob", pinged=CREATED + 1, latency_ms=2)
    users.record("ann", pinged=CREATED, latency_ms=0)
    users.record("bob", pinged=CREATED + 2, latency_ms=3)
    assert encode(users.document_of("bob")) == (
        b'{"User":"bob","LastPing":"2026-11-22T13:19:02Z","LastLatency":3,"MinLatency":2,"MaxLatency":5}'
    )
    assert list(users.document()) == ["ann", "bob"]
    assert users.document()["bob"] == users.document_of("bob")


def test_an_unknown_user_has_an_empty_latency() -> None:
    empty = {"User": "", "LastPing": "", "LastLatency": 0, "MinLatency": 0, "MaxLatency": 0}
    assert UserLatencies().document_of("nobody") == empty


def test_neither_many_users_nor_long_names_fill_the_memory() -> None:
    users = UserLatencies(max_users=2, max_name=5)
    users.record("longer", pinged=CREATED, latency_ms=1)
    for user in ("a", "b", "a", "c"):
        users.record(user, pinged=CREATED, latency_ms=1)
    assert list(users.document()) == ["a", "c"]
