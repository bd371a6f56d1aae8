"""What a client has already is not sent again."""

from pathlib import Path

import jwt
import pytest

from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

BROWSER = {"User-Agent": "Mozilla/5.0"}
NODE = f"/api/node/{UUID}"
FRESH = "max-age=60, stale-while-revalidate=60"
DOCUMENTS = [
    "/",
    "/api/repos/info",
    "/api/openapi.json",
    "/api/help/uint8blk",
    f"/api/repo/{UUID}/info",
    f"{NODE}/em/info",
    f"{NODE}/em/metadata",
]
DATA = [
    f"{NODE}/em/specificblocks?blocks=0,0,0",
    f"{NODE}/em/specificblocks?blocks=0,0,0,1,0,0,9,9,9",
    f"{NODE}/em/subvolblocks/64_64_64/0_0_0",
    f"{NODE}/em/subvolblocks/128_128_64/0_0_0",
    f"{NODE}/em/raw/xy/100_100/0_0_0/jpg",
    f"{NODE}/em/raw/0_1_2/40_40_40/0_0_0",
    f"{NODE}/em/tile/xy/0/0_0_5",
]
UNCHANGING = [*DOCUMENTS, *DATA]


def lifetime_of(path: str) -> str:
    """Return the `Cache-Control` that the answer has to have."""
    return "no-cache" if path in DOCUMENTS or "prefetch" in path else FRESH


@pytest.mark.parametrize("path", UNCHANGING)
async def test_an_answer_that_still_holds_is_304_without_a_byte(
    volume: Path, tmp_path: Path, path: str
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        async with server.ask("GET", path, BROWSER) as first:
            body, etag = await first.read(), first.headers["ETag"]
            assert body
            assert first.headers["Cache-Control"] == lifetime_of(path)
        for known in (etag, f'"other", W/{etag}', "*"):
            async with server.ask("GET", path, {**BROWSER, "If-None-Match": known}) as again:
                assert again.status == 304
                assert await again.read() == b""
                assert again.headers["ETag"] == etag
                assert again.headers["Cache-Control"] == lifetime_of(path)
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
async def test_what_has_no_etag_is_fresh_for_as_long(path: str, volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for method in ("HEAD", "GET", "GET", "HEAD"):  # the second time, blocks are sent from memory
            async with server.ask(method, path, BROWSER) as response:
                assert response.status == 200
                assert "ETag" not in response.headers
                assert response.headers["Cache-Control"] == lifetime_of(path)


async def test_data_that_nothing_is_hashed_for_are_fresh_for_as_long(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in UNCHANGING:
            async with server.ask("GET", path) as response:
                assert response.headers["Cache-Control"] == lifetime_of(path), path


async def test_head_gives_the_length_of_what_get_sends_or_none(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in (*UNCHANGING, *UNNAMED, f"{NODE}/em/subvolblocks/20_20_20/0_0_0"):
            for _ in range(2):  # the second time, blocks are in memory and their length is known
                async with server.ask("HEAD", path) as head, server.ask("GET", path) as got:
                    length = head.headers.get("Content-Length")
                    assert length in {None, str(len(await got.read()))}, path
                    assert await head.read() == b""
                    assert head.content_type == got.content_type


LIFETIMES = {
    "max_age = 0": "no-cache",
    "max_age = 5": "max-age=5, stale-while-revalidate=60",
    "max_age = 5\nstale_while_revalidate = 0": "max-age=5",
}


@pytest.mark.parametrize("keys", LIFETIMES)
@pytest.mark.parametrize("path", [*DATA, *UNNAMED[:-1]])
async def test_the_configuration_says_how_long_data_are_fresh(
    path: str, keys: str, volume: Path, tmp_path: Path
) -> None:
    async with serving(config_text({"em": volume}, f"[server]\n{keys}"), tmp_path) as server:
        for method in ("HEAD", "GET"):
            async with server.ask(method, path, BROWSER) as response:
                assert response.headers["Cache-Control"] == LIFETIMES[keys]


async def test_only_the_browser_keeps_what_takes_a_token(volume: Path, tmp_path: Path) -> None:
    secret = "a made-up secret " * 4
    headers = {**BROWSER, "Authorization": f"Bearer {jwt.encode({'user': 'ada'}, secret, 'HS256')}"}
    text = config_text({"em": volume}, '[auth]\nenforce = "token"')
    async with serving(text, tmp_path, {"DVID_JWT_SECRET_KEY": secret}) as server:
        for path in DATA:
            async with server.ask("GET", path, headers) as response:
                assert response.headers["Cache-Control"] == f"private, {FRESH}"


async def test_an_answer_that_may_lack_blocks_is_not_shown_again_unasked(
    volume: Path, tmp_path: Path
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for app, lifetime in (("lowtis", "no-cache"), ("neuroglancer", FRESH)):
            path = f"{NODE}/em/specificblocks?blocks=0,0,0&app={app}"
            async with server.ask("GET", path, BROWSER) as response:
                assert response.headers["Cache-Control"] == lifetime


async def test_errors_say_nothing_of_how_long_they_hold(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in (f"{NODE}/em/specificblocks?blocks=0", f"{NODE}/em/key/1", f"{NODE}/nothing/info"):
            async with server.ask("GET", path, BROWSER) as response:
                assert response.status == 400
                assert "Cache-Control" not in response.headers
