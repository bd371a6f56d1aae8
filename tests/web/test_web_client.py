"""The files of a web client are served, and no others."""

import os
from pathlib import Path

import pytest

from dvidpc.web.web_client import WebClient
from tests.rawhttp import exchange
from tests.serving import UUID, config_text, serving


@pytest.fixture
def console(tmp_path: Path) -> Path:
    """A web client beside a file that is nobody's business."""
    directory = tmp_path / "console"
    (directory / "static/js").mkdir(parents=True)
    (directory / "index.html").write_text("<title>console</title>")
    (directory / "static/js/main.js").write_text("let a = 1")
    (directory / "static/two words.txt").write_text("both")
    (directory / ".env").write_text("SECRET=1")
    (directory / ".git").mkdir()
    (directory / ".git/config").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (directory / "link.txt").symlink_to(tmp_path / "secret.txt")
    (directory / "up").symlink_to(tmp_path, target_is_directory=True)
    return directory


def config(volume: Path, console: Path, more: str = "") -> str:
    return config_text({"em": volume}, f'[server]\nwebClient = "{console}"\n{more}')


async def test_files_are_served_with_their_types(volume: Path, tmp_path: Path, console: Path) -> None:
    async with serving(config(volume, console), tmp_path) as server:
        for path, kind, text in (
            ("/", "text/html", "<title>console</title>"),
            ("/static/js/main.js", "text/javascript", "let a = 1"),
            ("/static/two%20words.txt", "text/plain", "both"),
        ):
            async with server.ask("GET", path) as response:
                assert (response.status, await response.text()) == (200, text)
                assert response.content_type.replace("application/javascript", "text/javascript") == kind
            async with server.ask("HEAD", path) as response:
                assert (response.status, await response.read()) == (200, b"")
                assert int(response.headers["Content-Length"]) == len(text)


async def test_the_api_comes_first_and_its_errors_stay_errors(
    volume: Path, tmp_path: Path, console: Path
) -> None:
    (console / "api").mkdir()
    (console / "api/load").write_text("not this")
    (console / "api/bogus").write_text("nor this")
    more = 'webDefaultFile = "index.html"'
    async with serving(config(volume, console, more), tmp_path) as server:
        assert (await server.get("/api/load")).startswith(b"{")
        assert await server.error("/api/bogus") == (404, "404 page not found\n")
        assert (await server.error(f"/api/node/{UUID}/nope/info"))[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/",  # a directory, and no listing of it
        "/static/js/",
        "/.env",
        "/.git/config",
        "/link.txt",
        "/up/secret.txt",
        "/%00",
        "/index.html%00.txt",
        "/..%5csecret.txt",
        "/" + "x" * 300,
        "/missing.txt",
        "/static/js/main.js/x",
    ],
)
async def test_nothing_else_is_served(volume: Path, tmp_path: Path, console: Path, path: str) -> None:
    async with serving(config(volume, console), tmp_path) as server:
        assert await server.error(path) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    "way", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/static/../../secret.txt"]
)
async def test_no_way_leads_up(volume: Path, tmp_path: Path, console: Path, way: str) -> None:
    async with serving(config(volume, console), tmp_path) as server:
        request = f"GET {way} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await exchange(server.url, request.encode())
        assert (answer.status, answer.headers["location"]) == (301, "/secret.txt")
        assert (await server.error("/secret.txt"))[0] == 404


async def test_a_directory_and_its_index_have_one_address(
    volume: Path, tmp_path: Path, console: Path
) -> None:
    (console / "static/index.html").write_text("static")
    async with serving(config(volume, console), tmp_path) as server:
        assert await server.get("/static/") == b"static"
        for path, location in (("/index.html", "./"), ("/static/index.html", "./"), ("/static", "static/")):
            async with server.ask("GET", path) as response:
                assert (response.status, response.headers["Location"]) == (301, location)


async def test_a_missing_page_redirects_or_is_stood_in_for(
    volume: Path, tmp_path: Path, console: Path
) -> None:
    both = 'webRedirectPath = "static/two words.txt"\nwebDefaultFile = "index.html"'
    async with (
        serving(config(volume, console, both), tmp_path) as server,
        server.ask("GET", "/some/page") as response,
    ):
        assert (response.status, response.headers["Location"]) == (308, "/static/two%20words.txt")
    async with serving(config(volume, console, 'webDefaultFile = "index.html"'), tmp_path) as server:
        assert await server.get("/some/page") == b"<title>console</title>"
        assert (await server.error("/.env")) == (200, "<title>console</title>")


async def test_files_are_sent_by_condition_and_by_range(volume: Path, tmp_path: Path, console: Path) -> None:
    path = "/static/js/main.js"
    async with serving(config(volume, console), tmp_path) as server:
        async with server.ask("GET", path) as response:
            etag, modified = response.headers["ETag"], response.headers["Last-Modified"]
        for condition in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            async with server.ask("GET", path, condition) as response:
                assert (response.status, await response.read()) == (304, b"")
        async with server.ask("GET", path, {"Range": "bytes=4-4"}) as response:
            assert (response.status, await response.read()) == (206, b"a")


@pytest.mark.parametrize("directory", [None, "empty", "full", "not-there"])
async def test_the_root_always_answers_head(
    volume: Path, tmp_path: Path, console: Path, directory: str | None
) -> None:
    (tmp_path / "empty").mkdir()
    where = {"empty": tmp_path / "empty", "full": console, "not-there": tmp_path / "not-there"}
    more = 'webRedirectPath = "elsewhere"'
    text = config(volume, where[directory], more) if directory else config_text({"em": volume})
    async with serving(text, tmp_path) as server, server.ask("HEAD", "/") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        assert await response.read() == b""


async def test_it_is_found_below_the_base_path(volume: Path, tmp_path: Path, console: Path) -> None:
    more = 'basePath = "/dvid"\nwebRedirectPath = "index.html"'
    async with serving(config(volume, console, more), tmp_path) as server:
        assert await server.get("/dvid/") == b"<title>console</title>"
        assert await server.get("/dvid/static/js/main.js") == b"let a = 1"
        assert (await server.error("/static/js/main.js"))[0] == 404
        async with server.ask("GET", "/dvid/nope") as response:
            assert response.headers["Location"] == "/dvid/index.html"


def test_a_fifo_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert WebClient(tmp_path, "", "", "").find("/pipe") is None
