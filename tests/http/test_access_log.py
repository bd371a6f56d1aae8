"""Every request leaves one line in the log, with what it cost."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from tests.logged import logging_to, request_fields
from tests.servers import serve, serve_directory
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume


async def test_line_of_a_request_says_what_it_cost(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg", sharding=sharding()))
    path = tmp_path / "log"
    with logging_to(path, "json"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            for _ in range(2):
                body = await server.get(
                    f"{server.node}/em/specificblocks?blocks=0,0,0,1,0,0&u=katz&app=neuclease"
                )
    cold, warm = request_fields(path)
    assert cold["endpoint"] == "specificblocks"
    assert (cold["instance"], cold["call"], cold["status"]) == ("em", "specificblocks", "200")
    assert (cold["app"], cold["user"], cold["client"]) == ("neuclease", "katz", "127.0.0.1")
    assert cold["blocks"] == warm["blocks"] == 2
    assert cold["bytes"] >= len(body)
    assert cold["bytes"] == warm["bytes"]
    assert cold["upstream"] >= 3  # a shard index, minishard indexes, chunks
    assert (warm["upstream"], warm["hits"]) == (0, 2)
    assert cold["id"] != warm["id"]


async def test_line_never_holds_the_block_list(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    path = tmp_path / "log"
    with logging_to(path):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            blocks = ",".join(["777"] * 6000)
            await server.get(f"{server.node}/em/specificblocks?blocks={blocks}")
    text = path.read_text()
    assert "777" not in text
    assert "blocks=2000 " in text


HOSTILE = [
    "/api/node/28/%0d%0a2026-01-01%20INFO%20forged/info",
    "/%0aforged?app=%0aforged&u=%0d%1b[31m%22",
    "/api/node/28/em/x%0ay%00?app=a%20b%3Dc",
    "/" + "a" * 9000,
]


@pytest.mark.parametrize("target", HOSTILE)
@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_line_is_one_whatever_the_client_sends(target: str, log_format: str, tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    path = tmp_path / "log"
    with logging_to(path, "json" if log_format == "json" else "text"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            before = len(path.read_text().splitlines())
            await server.error(target)
    added = path.read_bytes().decode().splitlines()[before:]
    assert len(added) == 1
    assert len(added[0]) < 1500
    assert added[0].isprintable()


async def test_id_of_a_proxy_is_kept_and_given_back_with_an_error(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    path = tmp_path / "log"
    with logging_to(path, "json"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            for given in ("edge-7", "a b", "x" * 65):
                headers = {"X-Request-Id": given}
                async with server.session.get(f"{server.url}/nowhere", headers=headers) as response:
                    assert response.status == 404
                    given_back = response.headers["X-Request-Id"]
                    assert (given_back == given) == (given == "edge-7")
    assert request_fields(path)[0]["id"] == "edge-7"


async def test_client_that_leaves_is_noted_as_such(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    asked, answered = asyncio.Event(), asyncio.Event()
    directory = serve_directory(tmp_path / "volume")

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path != "/info":
            asked.set()
            await answered.wait()
        return await directory(request)

    path = tmp_path / "log"
    with logging_to(path, "json"):
        async with serve(answer) as bucket, serving(config_text({"em": bucket.url}), tmp_path) as server:
            reading = asyncio.ensure_future(server.get(f"{server.node}/em/specificblocks?blocks=0,0,0"))
            await asked.wait()
            reading.cancel()
            await asyncio.wait([reading])
            await _wait_for("left", path, server)
            answered.set()
    [left] = [fields for fields in request_fields(path) if fields["status"] == "left"]
    assert (left["endpoint"], left["status"], left["upstream"]) == ("specificblocks", "left", 1)


async def _wait_for(status: str, path: Path, server: Server) -> None:
    """Ask on until the log in *path* has a request that ended so."""
    for _ in range(2000):
        if any(fields["status"] == status for fields in request_fields(path)):
            return
        await server.get("/healthz")
    raise AssertionError(f"no request ended as {status!r}")


async def test_answer_that_breaks_off_is_noted_as_such(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(size=(64 * 3, 64, 64)))
    for damaged in (tmp_path / "volume" / "s0").glob("128-*"):
        damaged.write_bytes(b"short")
    path = tmp_path / "log"
    with logging_to(path, "json"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            with pytest.raises(Exception, match=r"payload|disconnected|closed|reset"):
                await server.get(
                    f"{server.node}/em/specificblocks?blocks=0,0,0,1,0,0,2,0,0&compression=uncompressed"
                )
    assert [fields["status"] for fields in request_fields(path)] == ["cut"]


async def test_broken_bucket_floods_no_log(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    for chunk in (tmp_path / "volume" / "s0").iterdir():
        chunk.write_bytes(b"short")
    path = tmp_path / "log"
    with logging_to(path, "json"):
        async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
            for _ in range(100):
                status, _ = await server.error(f"{server.node}/em/specificblocks?blocks=0,0,0")
                assert status == 502
    lines = path.read_text().splitlines()
    assert len(request_fields(path)) == 100
    assert sum('"ERROR"' in line for line in lines) == 20
