"""Arrays are served from directories, web servers, S3 and Google alike; damage is named."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts

from tests.array_stores import cut, store_section
from tests.array_volumes import levels_of, tissue, write_cosem_n5, write_ome_zarr
from tests.blockstream import parse_stream, raw_block
from tests.drawn_arrays import Voxels
from tests.label_payloads import read_block
from tests.servers import GoogleServer, S3Server, run_google_server, run_s3_server, serve, serve_directory
from tests.serving import Server, config_text, serving

LEVELS = levels_of(tissue((130, 150, 140), seed=5), 3)
LABELS = levels_of(tissue((130, 150, 140), "uint32", seed=6), 3)
KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "zarr2": ("zarr", lambda directory: write_ome_zarr(directory, LEVELS)),
    "zarr3": ("zarr", lambda directory: write_ome_zarr(directory, LEVELS, version="0.5")),
    "sharded": (
        "zarr",
        lambda directory: write_ome_zarr(
            directory, LEVELS, version="0.5", chunk=(32, 32, 32), shard=(4, 4, 4)
        ),
    ),
    "n5": ("n5", lambda directory: write_cosem_n5(directory, LEVELS)),
}
STORES = ("file", "http", "s3", "gs")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give keys to botocore, which reads the process's environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with run_s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleServer]:
    with run_google_server() as server:
        yield server


@asynccontextmanager
async def stored(
    store: str, directory: Path, bucket: str, s3: S3Server, google: GoogleServer
) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Put the files of *directory* into a store; yield the ref of the volume, and more keys."""
    if store == "file":
        yield f"file://{directory}", {}
        return
    if store == "http":
        async with serve(serve_directory(directory.parent)) as web_server:
            yield f"{web_server.url}/{directory.name}", {}
        return
    server: S3Server | GoogleServer = s3 if store == "s3" else google
    server.make_bucket(bucket)
    for file in directory.rglob("*"):
        if file.is_file():
            server.put(bucket, f"em/{file.relative_to(directory)}", file.read_bytes())
    anonymous = {"anonymous": "true"} if store == "gs" else {}  # moto refuses what is not signed
    yield f"{store}://{bucket}/em", {"endpoint": f'"{server.url}"', **anonymous}


async def check_volume(server: Server, name: str, levels: list[Voxels]) -> None:
    for number, voxels in enumerate(levels):
        instance = f"{name}_{number}" if number else name
        depth, height, width = voxels.shape
        body = await server.get(
            f"{server.node}/{instance}/raw/0_1_2/{width + 10}_{height + 10}_{depth + 10}/-5_-5_-5"
        )
        expected = cut(voxels, (0, 0, 0), (-5, -5, -5), (width + 10, height + 10, depth + 10))
        assert (np.frombuffer(body, "u1").reshape(expected.shape) == expected).all()
        frames = parse_stream(
            await server.get(
                f"{server.node}/{instance}/subvolblocks/192_192_192/0_0_0?compression=uncompressed"
            )
        )
        assert len(frames) == np.prod([-(-n // 64) for n in voxels.shape])
        for block, payload in frames:
            start = 64 * block[0], 64 * block[1], 64 * block[2]
            assert (cut(voxels, (0, 0, 0), start, (64, 64, 64)) == raw_block(payload).T).all()
        info = json.loads(await server.get(f"{server.node}/{instance}/info"))["Extended"]
        assert info["VoxelSize"] == [8.0 * 2**number] * 3
        assert info["MinPoint"] == [0, 0, 0]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_store_serves_every_kind(
    tmp_path: Path, s3: S3Server, google: GoogleServer, store: str, kind: str
) -> None:
    engine, write = KINDS[kind]
    write(tmp_path / "em")
    async with stored(store, tmp_path / "em", f"{store}-{kind}", s3, google) as (ref, keys):
        text = config_text({}, store_section("em", ref, keys, engine))
        async with serving(text, tmp_path, {}) as server:
            await check_volume(server, "em", LEVELS)


async def test_label_images_are_labelmaps_of_all_scales(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "seg", LABELS, is_labels=True)
    text = config_text({}, store_section("seg", f"file://{tmp_path}/seg", {}))
    async with serving(text, tmp_path, {}) as server:
        info = json.loads(await server.get(f"{server.node}/seg/info"))
        assert info["Base"]["TypeName"] == "labelmap"
        assert info["Extended"]["MaxDownresLevel"] == 2
        for scale, voxels in enumerate(LABELS):
            path = f"{server.node}/seg/specificblocks?blocks=0,0,0,1,0,0&scale={scale}"
            for block, payload in parse_stream(await server.get(path)):
                start = 64 * block[0], 64 * block[1], 64 * block[2]
                expected = cut(voxels.astype("u8"), (0, 0, 0), start, (64, 64, 64))
                assert (read_block(payload, "blocks") == expected).all()
        answer = json.loads(await server.get(f"{server.node}/seg/label/11_12_13"))
        assert answer == {"Label": int(LABELS[0][13, 12, 11])}


async def test_a_label_image_is_served_as_an_image_on_request(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "seg", LABELS, is_labels=True)
    section = store_section("seg", f"file://{tmp_path}/seg", {"type": '"image"'})
    async with serving(config_text({}, section), tmp_path, {}) as server:
        info = json.loads(await server.get(f"{server.node}/seg_1/info"))
        assert info["Base"]["TypeName"] == "uint32blk"


@pytest.mark.parametrize("kind", ["zarr2", "sharded", "n5"])
async def test_damaged_chunk_is_502_and_names_the_object(tmp_path: Path, kind: str) -> None:
    engine, write = KINDS[kind]
    write(tmp_path / "em")
    first = {"zarr2": "s0/0/0/0", "sharded": "s0/c/0/0/0", "n5": "s0/0/0/0"}[kind]
    path = tmp_path / "em" / first
    data = bytearray(path.read_bytes())
    for at in range(20, 400):
        data[at] ^= 0x5A
    path.write_bytes(bytes(data))
    text = config_text({}, store_section("em", f"file://{tmp_path}/em", {}, engine))
    async with serving(text, tmp_path, {}) as server:
        status, said = await server.error(f"{server.node}/em/raw/0_1_2/20_20_20/0_0_0")
        assert status == 502
        assert first in said
        status, said = await server.error(f"{server.node}/em/specificblocks?blocks=0,0,0")
        assert status == 502
        assert await server.get(f"{server.node}/em/raw/0_1_2/9_9_1/0_0_129")


def test_what_is_written_is_what_tensorstore_reads(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "v2", LEVELS)
    write_cosem_n5(tmp_path / "n5", LEVELS)
    for driver, path, order in (("zarr", "v2", (0, 1, 2)), ("n5", "n5", (2, 1, 0))):
        spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{tmp_path}/{path}/s1/"}}
        read = np.asarray(ts.open(spec, open=True).result().read().result()).transpose(order)
        assert (read == LEVELS[1]).all()
