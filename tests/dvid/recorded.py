"""The recorded answers of a real DVID, and this server's instances of the same volumes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from dvidpc.data.image import VOXEL_TYPES, ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.documents.server_documents import ServerFacts
from dvidpc.dvid.routes import ROUTES
from dvidpc.dvid.table import Api
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.types import Point
from dvidpc.web.page_routes import ROUTES as WEB_ROUTES
from tests.opened import image_instance

if TYPE_CHECKING:
    from dvidpc.volume.grid_store import GridStore

RECORDED = json.loads((Path(__file__).parents[1] / "recorded/dvid/responses.json").read_bytes())
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


def leaves(value: Parsed, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the path and value of every leaf of a document, in order."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from leaves(member, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, element in enumerate(value):
            yield from leaves(element, f"{path}/{index}")
    else:
        yield path, value


def shape(text: str | bytes) -> list[tuple[str, str]]:
    """Return the path and type of every leaf of a JSON document, in order."""

    def kind(value: object) -> str:
        return "number" if isinstance(value, float) else type(value).__name__

    return [(path, kind(value)) for path, value in leaves(json.loads(text))]


def differing(ours: JsonValue, recorded: str) -> set[str]:
    """Return the last keys of the paths whose values differ."""
    mine, theirs = dict(leaves(json.loads(encode(ours)))), dict(leaves(json.loads(recorded)))
    assert mine.keys() == theirs.keys()
    return {path.rstrip("/0123456789").split("/")[-1] for path in mine if mine[path] != theirs[path]}
