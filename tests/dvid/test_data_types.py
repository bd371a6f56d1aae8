"""Adding a data type takes a module and one line of registration; this one is an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

from dvidpc.data.instance import DataType, Instance
from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.descriptions import INFO
from dvidpc.dvid.documents.repo_endpoints import data_info
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import Doc, Endpoint, Family
from dvidpc.formats.dvid.go_json import JsonValue
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume

NOTES = DataType("notes", "0.1", "example.org/notes.go", "notes")


@dataclass(frozen=True)
class Notes:
    """A `Data` that serves one text."""

    text: str
    data_type: DataType = NOTES
    compression: str = "No compression"
    kind: str = "notes"

    def members(self, store_alias: str) -> Mapping[str, JsonValue]:
        return {"Extended": {"Length": len(self.text), "Store": store_alias}}

    def creation(self, store_alias: str) -> str:
        return f"store:{store_alias}"

    def forget(self) -> None:
        """Do nothing: the text has no other source."""


async def read(_request: web.Request, instance: Instance[Notes]) -> web.StreamResponse:
    return web.Response(body=instance.data.text.encode(), content_type="text/plain")


FAMILY: Family[Notes] = Family(
    "notes",
    (NOTES,),
    MappingProxyType(
        {
            "read": Endpoint(read, "notes cannot be written", Doc("The text.")),
            "info": Endpoint(data_info, doc=INFO, is_document=True),
        }
    ),
    lambda name: f"{name}: a text\n",
)


async def test_a_data_type_needs_one_module_and_one_registration(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    families = {**FAMILIES, FAMILY.name: FAMILY}
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path, {}, families=families) as server:
        repo = server.app[SERVICES].repo
        repo.add([Instance("remarks", "0" * 32, "em", "file:///notes", Notes("hello"))])
        assert await server.get(f"{server.node}/remarks/read") == b"hello"
        assert b'"TypeName":"notes"' in await server.get(f"{server.node}/remarks/info")
        assert b'"Length":5' in await server.get("/api/repos/info")
        assert b"notes: a text" in await server.get("/api/help/notes")
        assert b"/api/node/{uuid}/{data}/read" in await server.get("/api/openapi.json")
        assert (await server.error(f"{server.node}/remarks/raw/0_1_2/1_1_1/0_0_0"))[0] == 400
        assert (await server.error(f"{server.node}/em/read"))[0] == 400
        async with server.ask("POST", f"{server.node}/remarks/read") as answer:
            assert "notes cannot be written" in await answer.text()
