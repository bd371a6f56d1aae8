"""What a client has already is not sent again."""

from pathlib import Path

import pytest

from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

BROWSER = {"User-Agent": "Mozilla/5.0"}
NODE = f"/api/node/{UUID}"
UNCHANGING = [
    "/",
    "/api/repos/info",
    "/api/openapi.json",
    "/api/help/uint8blk",
    f"/api/repo/{UUID}/info",
    f"{NODE}/em/info",
    f"{NODE}/em/metadata",
    f"{NODE}/em/specificblocks?blocks=0,0,0",
    f"{NODE}/em/specificblocks?blocks=0,0,0,1,0,0,9,9,9",
    f"{NODE}/em/subvolblocks/64_64_64/0_0_0",
    f"{NODE}/em/subvolblocks/128_128_64/0_0_0",
    f"{NODE}/em/raw/xy/100_100/0_0_0/jpg",
    f"{NODE}/em/raw/0_1_2/40_40_40/0_0_0",
    f"{NODE}/em/tile/xy/0/0_0_5",
]


@pytest.mark.parametrize("path", UNCHANGING)
async def test_an_answer_that_still_holds_is_304_without_a_byte(
    volume: Path, tmp_path: Path, path: str
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        async with server.ask("GET", path, BROWSER) as first:
            body, etag = await first.read(), first.headers["ETag"]
            assert body
            assert first.headers["Cache-Control"] == "no-cache"
        for known in (etag, f'"other", W/{etag}', "*"):
            async with server.ask("GET", path, {**BROWSER, "If-None-Match": known}) as again:
                assert again.status == 304
                assert await again.read() == b""
                assert again.headers["ETag"] == etag
                assert "Content-Length" not in again.headers
        async with server.ask("GET", path, {**BROWSER, "If-None-Match": '"other"'}) as other:
            assert (other.status, await other.read()) == (200, body)


async def test_replaced_data_have_another_etag(tmp_path: Path) -> None:
    etags: list[str] = []
    for seed in (1, 2, 1):
        home = tmp_path / f"{len(etags)}"
        write_volume(home / "em", VolumeSpec(encoding="jpeg", seed=seed))
        async with (
            serving(config_text({"em": home / "em"}), home) as server,
            server.ask("GET", f"{NODE}/em/specificblocks?blocks=0,0,0", BROWSER) as response,
        ):
            etags.append(response.headers["ETag"])
    assert etags[0] == etags[2] != etags[1]


async def etag_of(server: Server, path: str, headers: dict[str, str]) -> str | None:
    async with server.ask("GET", path, headers) as response:
        return response.headers.get("ETag")


async def test_nothing_is_hashed_for_a_client_that_keeps_nothing(volume: Path, tmp_path: Path) -> None:
    path = f"{NODE}/em/specificblocks?blocks=0,0,0"
    async with serving(config_text({"em": volume}), tmp_path) as server:
        assert await etag_of(server, path, {}) is None
        assert await etag_of(server, path, {"User-Agent": "curl/8"}) is not None


UNNAMED = [
    f"{NODE}/em/subvolblocks/128_128_64/0_0_0?compression=uncompressed",
    f"{NODE}/em/raw/0_1_2/100_100_100/0_0_0",
    f"{NODE}/em/raw/xy/1200_1200/0_0_0/bmp",
    f"{NODE}/em/blocks/0_0_0/3",
    f"{NODE}/em/specificblocks?blocks=9,9,9",
    f"{NODE}/em/specificblocks?blocks=0,0,0&prefetch=on",
]


async def test_errors_have_no_etag(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        assert await etag_of(server, f"{NODE}/em/specificblocks?blocks=0", BROWSER) is None


@pytest.mark.parametrize("path", UNNAMED)
async def test_what_has_no_etag_is_not_to_be_taken_for_fresh_either(
    path: str, volume: Path, tmp_path: Path
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for method in ("HEAD", "GET", "GET", "HEAD"):  # the second time, blocks are sent from memory
            async with server.ask(method, path, BROWSER) as response:
                assert response.status == 200
                assert "ETag" not in response.headers
                assert response.headers["Cache-Control"] == "no-cache"


async def test_data_that_nothing_is_hashed_for_are_not_to_be_taken_for_fresh(
    volume: Path, tmp_path: Path
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in UNCHANGING:
            async with server.ask("GET", path) as response:
                assert response.headers["Cache-Control"] == "no-cache", path


async def test_head_gives_the_length_of_what_get_sends_or_none(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in (*UNCHANGING, *UNNAMED, f"{NODE}/em/subvolblocks/20_20_20/0_0_0"):
            for _ in range(2):  # the second time, blocks are in memory and their length is known
                async with server.ask("HEAD", path) as head, server.ask("GET", path) as got:
                    length = head.headers.get("Content-Length")
                    assert length in {None, str(len(await got.read()))}, path
                    assert await head.read() == b""
                    assert head.content_type == got.content_type
