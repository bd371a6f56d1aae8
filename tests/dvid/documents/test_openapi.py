"""OpenAPI, help and RAML describe every operation of the table."""

import json
from pathlib import Path

from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.documents.openapi import operations
from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.routes import ROUTES
from dvidpc.dvid.table import Api
from dvidpc.web.page_routes import ROUTES as WEB_ROUTES
from tests.serving import UUID, config_text, serving

API = Api((*WEB_ROUTES, *ROUTES), FAMILIES)


def test_every_operation_is_described() -> None:
    for path, methods, doc in operations(API):
        assert doc.summary.endswith("."), path
        assert methods
        assert doc.media


async def test_the_document_contains_every_operation(volume: Path, tmp_path: Path) -> None:
    more = '[server]\nbasePath = "/dvid"'
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        document = json.loads(await server.get("/dvid/api/openapi.json"))
        assert document["openapi"] == "3.1.0"
        assert document["servers"] == [{"url": "/dvid"}]
        assert set(document["paths"]) == {path for path, _, _ in operations(API)}
        ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
        assert len(ids) == len(set(ids))
        info = document["paths"]["/api/node/{uuid}/{data}/info"]["get"]
        assert [parameter["example"] for parameter in info["parameters"]][:2] == [":master", "em"]
        assert {"200", "304", "400", "429", "503"} <= set(info["responses"])


async def test_help_and_raml_contain_every_operation(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        page = (await server.get("/api/help")).decode()
        raml = (await server.get("/interface")).decode()
        for route in ROUTES:
            assert f"<code>{route.path}" in page
            assert f"\n{route.path}:\n" in raml
        for path in ("/api/help/uint8blk", f"/api/node/{UUID}/em/help"):
            text = (await server.get(path)).decode()
            for name in IMAGEBLK.endpoints:
                assert f"GET /api/node/<UUID>/<data name>/{name}" in text
        assert await server.get("/interface/version") == b"v1\n"
