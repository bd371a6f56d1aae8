"""The requests that each page of dvid-console sends, cross-origin, and the fields it needs.

(Home.js:20-110, RepoDAG.js:42-100, DataInstanceList.js:250-257; dvid-console 616ed1c)
"""

from datetime import datetime
from typing import Any

from tests.clients.conftest import Served
from tests.serving import UUID

HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Origin": "http://localhost:3000",
    "User-Agent": "Mozilla/5.0",
}


async def fetch(served: Served, path: str) -> Any:  # noqa: ANN401 - JSON
    async with served.server.ask("GET", f"{path}?u=dvidconsole&app=dvidconsole", HEADERS) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == HEADERS["Origin"]
        return await response.json(content_type=None)


async def test_the_home_page_lists_the_repos(em: Served) -> None:
    [repo] = (await fetch(em, "/api/repos/info")).values()
    assert isinstance(repo["Alias"], str)
    assert repo["Root"] == UUID
    assert datetime.fromisoformat(repo["Updated"])
    for instance in repo["DataInstances"].values():
        assert instance["Base"]["Name"]
        assert instance["Base"]["TypeName"]
    assert (await fetch(em, f"/api/repo/{UUID}/branch-versions/master"))[0] == UUID


async def test_the_repo_page_draws_the_versions(em: Served) -> None:
    repo = await fetch(em, f"/api/repo/{UUID}/info")
    assert isinstance(repo["Log"], list)
    node = repo["DAG"]["Nodes"][repo["DAG"]["Root"]]
    assert all(isinstance(node[key], list) for key in ("Log", "Parents", "Children"))
    assert (node["VersionID"], node["Locked"], node["Note"]) == (1, True, "")
    assert all(data["Base"]["RepoUUID"] == UUID for data in repo["DataInstances"].values())
    path = f"/api/node/{UUID}/default_instances/key/data"
    async with em.server.ask("GET", path, HEADERS) as response:
        assert response.status == 400
        assert response.headers["Access-Control-Allow-Origin"] == HEADERS["Origin"]


async def test_the_admin_page_watches_the_server(em: Served) -> None:
    info = await fetch(em, "/api/server/info")
    for name in ("Cores", "Maximum Cores", "Server uptime", "DVID Version", "Storage backend"):
        assert isinstance(info[name], str)
    assert "uint8blk" in await fetch(em, "/api/server/compiled-types")
    assert all(isinstance(number, int) for number in (await fetch(em, "/api/load")).values())


async def test_links_to_help_work(em: Served) -> None:
    assert b"specificblocks" in await em.server.get(f"/api/node/{UUID}/em/help")
