"""The block endpoints: long requests, prefetch, failures before and after the first byte."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import simplejpeg

from tests.blockstream import parse_stream
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume

SPEC = VolumeSpec(encoding="jpeg", holes=((1, 1, 0),))
CHUNKS = 3 * 3 * 2 - 1


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volume")
    write_volume(directory, SPEC)
    return directory


@pytest.fixture
def volume(written: Path, tmp_path: Path) -> Path:
    """Return a copy of the volume that the test may damage."""
    return shutil.copytree(written, tmp_path / "volume")


@pytest_asyncio.fixture
async def server(volume: Path, tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(config_text({"em": volume}), tmp_path) as running:
        yield running


def all_blocks() -> str:
    return ",".join(f"{x},{y},{z}" for z in range(2) for y in range(3) for x in range(3))


async def test_a_request_line_of_30000_blocks_is_answered(server: Server) -> None:
    far = ",".join(f"{4000 + n % 1000},{5000 + n // 1000},{6000 + n}" for n in range(30_000 - 18))
    path = f"{server.node}/em/specificblocks?blocks={far},{all_blocks()}"
    assert len(path) > 450_000
    assert len(parse_stream(await server.get(path))) == CHUNKS


async def test_percent_encoded_commas_are_accepted(server: Server) -> None:
    body = await server.get(f"{server.node}/em/specificblocks?u=me&app=x&blocks=0%2C0%2C0&u=me")
    assert [block for block, _ in parse_stream(body)] == [(0, 0, 0)]


@pytest.mark.parametrize("switch", ["on", "true"])
async def test_prefetch_answers_at_once_and_fills_caches(server: Server, volume: Path, switch: str) -> None:
    path = f"{server.node}/em/specificblocks?blocks={all_blocks()}"
    assert await server.get(f"{path}&prefetch={switch}") == b""
    expected = CHUNKS
    async with asyncio.timeout(20):
        while expected:
            # After the chunks are removed, only cached blocks can be served.
            await asyncio.sleep(0.01)
            expected = CHUNKS - len(parse_stream(await server.get(f"{path}&app=lowtis")))
    shutil.rmtree(volume / "s0")
    assert len(parse_stream(await server.get(path))) == CHUNKS


async def test_a_damaged_chunk_is_502_with_its_name_and_is_not_cached(server: Server, volume: Path) -> None:
    chunk = volume / "s0" / "0-64_0-64_0-64"
    whole = chunk.read_bytes()
    path = f"{server.node}/em/specificblocks?blocks=0,0,0"
    for damage, reason in ((whole[:-100], "truncated"), (b"", "0 bytes"), (b"not a JPEG", "malformed JPEG")):
        chunk.write_bytes(damage)
        status, text = await server.error(path)
        assert status == 502
        assert str(chunk) in text
        assert reason in text
    chunk.write_bytes(whole)
    assert parse_stream(await server.get(path)) == [((0, 0, 0), whole)]


@pytest.mark.parametrize("padding", [b"\0" * 100, b"\0" * 4000, b"\xaa" * 5000])
async def test_a_jpeg_that_was_padded_is_served(server: Server, volume: Path, padding: bytes) -> None:
    chunk = volume / "s0" / "0-64_0-64_0-64"
    whole = chunk.read_bytes()
    path = f"{server.node}/em/specificblocks?blocks=0,0,0"
    plain = f"{path}&compression=uncompressed"
    for blocks, data in ((path, whole[:-2] + padding), (plain, whole[:-2] + padding)):
        chunk.write_bytes(data)
        assert (await server.error(blocks))[0] == 502
    chunk.write_bytes(whole + padding)
    assert parse_stream(await server.get(path)) == [((0, 0, 0), whole + padding)]
    [(_, voxels)] = parse_stream(await server.get(plain))
    expected = simplejpeg.decode_jpeg(whole, colorspace="GRAY").tobytes()
    assert voxels == expected


async def test_a_failure_after_the_first_byte_cuts_the_connection(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(640, 640, 64), chunk_size=(64, 64, 64))
    directory = tmp_path / "volume"
    write_volume(directory, spec)
    (directory / "s0" / "576-640_576-640_0-64").write_bytes(b"short")
    blocks = ",".join(f"{x},{y},0" for y in range(10) for x in range(10))
    async with serving(config_text({"em": directory}), tmp_path) as server:
        url = f"{server.url}{server.node}/em/specificblocks?compression=uncompressed&blocks={blocks}"
        async with server.session.get(url) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientError):
                await response.read()


async def test_lowtis_gets_the_other_blocks_if_one_fails(server: Server, volume: Path) -> None:
    (volume / "s0" / "0-64_0-64_0-64").write_bytes(b"not a JPEG")
    path = f"{server.node}/em/specificblocks?blocks=0,0,0,1,0,0"
    assert [block for block, _ in parse_stream(await server.get(f"{path}&app=lowtis"))] == [(1, 0, 0)]
    assert (await server.error(f"{path}&app=libdvid"))[0] == 502


async def test_a_replaced_shard_is_read_again(tmp_path: Path) -> None:
    first = VolumeSpec(encoding="jpeg", sharding=sharding(), seed=1)
    second = VolumeSpec(encoding="jpeg", sharding=sharding(minishard_index_encoding="gzip"), seed=2)
    write_volume(tmp_path / "first", first)
    write_volume(tmp_path / "second", second)
    served = shutil.copytree(tmp_path / "first", tmp_path / "served")
    config = config_text({"em": served, "second": tmp_path / "second"}, "[cache]\nmemory = 0\n")
    async with serving(config, tmp_path) as server:
        path = f"specificblocks?blocks={all_blocks()}"
        before = await server.get(f"{server.node}/em/{path}")
        shutil.copytree(tmp_path / "second", served, dirs_exist_ok=True)
        after = await server.get(f"{server.node}/em/{path}")
        assert after != before
        assert after == await server.get(f"{server.node}/second/{path}")


async def test_head_has_the_status_and_no_body(server: Server) -> None:
    url = f"{server.url}{server.node}/em/specificblocks?blocks=0,0,0"
    async with server.session.head(url) as response:
        assert (response.status, await response.read()) == (200, b"")
    async with server.session.head(f"{url},1") as response:
        assert response.status == 400


async def test_a_request_beyond_max_response_is_413(server: Server) -> None:
    blocks = ",".join(["0"] * 3 * 3000)
    status, text = await server.error(
        f"{server.node}/em/specificblocks?compression=uncompressed&blocks={blocks}"
    )
    assert status == 413
    assert "max_response" in text


async def test_uint16_voxels_are_refused_as_jpeg(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(data_type="uint16"))
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        status, text = await server.error(f"{server.node}/em/specificblocks?blocks=0,0,0&compression=jpeg")
        assert status == 400
        assert "uint16blk data are served uncompressed only" in text
        [(_, payload)] = parse_stream(await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0"))
        assert len(payload) == 2 * 64**3
