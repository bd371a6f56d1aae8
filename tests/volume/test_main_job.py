"""Every block over HTTP contains the voxels that tensorstore reads."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.blockstream import grey_block, parse_stream, raw_block
from tests.servers import run_google_server, run_s3_server, serve, serve_directory
from tests.serving import Server, config_text, serving
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, sharding, stored_in, write_volume

SPECS = {
    "raw": VolumeSpec(),
    "jpeg": VolumeSpec(encoding="jpeg"),
    "raw-holes": VolumeSpec(holes=((0, 0, 0), (1, 1, 0), (2, 2, 1))),
    "jpeg-holes": VolumeSpec(encoding="jpeg", holes=((1, 0, 1), (2, 0, 0))),
    "raw-identity": VolumeSpec(sharding=sharding()),
    "raw-identity-gzip": VolumeSpec(sharding=sharding(data_encoding="gzip", minishard_index_encoding="raw")),
    "jpeg-identity-holes": VolumeSpec(encoding="jpeg", sharding=sharding(), holes=((0, 1, 0), (2, 2, 1))),
    "jpeg-murmur": VolumeSpec(encoding="jpeg", sharding=sharding(hash="murmurhash3_x86_128")),
    "raw-murmur-holes": VolumeSpec(
        sharding=sharding(hash="murmurhash3_x86_128", data_encoding="gzip"), holes=((0, 0, 0), (1, 2, 1))
    ),
    "jpeg-no-bits": VolumeSpec(
        encoding="jpeg", sharding=sharding(preshift_bits=0, minishard_bits=0, shard_bits=0)
    ),
    "jpeg-more-bits-than-ids": VolumeSpec(
        encoding="jpeg", sharding=sharding(preshift_bits=9, minishard_bits=6, shard_bits=15)
    ),
    "raw-thin": VolumeSpec(size=(150, 20, 5), sharding=sharding()),
    "jpeg-thin": VolumeSpec(size=(20, 130, 10), encoding="jpeg", sharding=sharding()),
    "raw-exact": VolumeSpec(size=(128, 64, 64)),
    "raw-offset": VolumeSpec(offset=(-10, 30, 64), sharding=sharding(), holes=((0, 0, 0),)),
    "jpeg-regridded": VolumeSpec(
        encoding="jpeg", chunk_size=(128, 128, 16), offset=(5, 0, -7), holes=((0, 0, 2),)
    ),
    "jpeg-scales": VolumeSpec(size=(200, 150, 90), encoding="jpeg", scale_levels=3, sharding=sharding()),
}


def blocks_around(spec: VolumeSpec, level: int = 0) -> list[XYZ]:
    """Every block that a volume touches, and a ring of blocks around them."""
    ranges = []
    for offset, size in zip(spec.offset, spec.scale_size(level), strict=True):
        start = offset // 2**level
        ranges.append(range(start // 64 - 1, (start + size - 1) // 64 + 2))
    xs, ys, zs = ranges
    return list(itertools.product(xs, ys, zs))


async def assert_right(
    server: Server, instance: str, spec: VolumeSpec, truth: Voxels, level: int = 0
) -> None:
    """Every block of an instance is there when it should be, and holds what it should."""
    blocks = blocks_around(spec, level)
    query = ",".join(str(number) for block in blocks for number in block)
    for compression, decode in (("uncompressed", raw_block), ("jpeg", grey_block)):
        path = f"{server.node}/{instance}/specificblocks?blocks={query}&compression={compression}"
        frames = parse_stream(await server.get(path))
        if level == 0:
            stored = [block for block in blocks if stored_in(spec, start_of(block), (64, 64, 64))]
            assert [block for block, _ in frames] == stored
        for block, payload in frames:
            offset = tuple(o // 2**level for o in spec.offset)
            expected = expected_box(truth, (offset[0], offset[1], offset[2]), start_of(block), (64, 64, 64))
            assert_close(decode(payload), expected[..., 0], spec, compression, block)


def start_of(block: XYZ) -> XYZ:
    return block[0] * 64, block[1] * 64, block[2] * 64


def assert_close(ours: Voxels, expected: Voxels, spec: VolumeSpec, compression: str, block: XYZ) -> None:
    difference = np.abs(ours.astype(int) - expected.astype(int))
    if compression == "uncompressed":
        # Two JPEG decoders may round a grey level differently; raw voxels are what they are.
        assert difference.max() <= (2 if spec.encoding == "jpeg" else 0), block
    else:
        assert difference.mean() < 6, block  # the noise of raw test volumes is what JPEG gives up
        zero = expected == 0
        if zero.any():
            assert ours[zero].mean() < 6, block


@pytest.mark.parametrize("name", SPECS)
async def test_every_block_is_what_tensorstore_reads(name: str, tmp_path: Path) -> None:
    spec = SPECS[name]
    truth = write_volume(tmp_path / "volume", spec)
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        for level in range(spec.scale_levels):
            instance = f"em_{level}" if level else "em"
            await assert_right(server, instance, spec, truth[level], level)


def files_below(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()
    }


@asynccontextmanager
async def placed(kind: str, directory: Path) -> AsyncIterator[tuple[str, str]]:
    """The volumes below *directory* where a kind of store has them: the ref of it all, and keys to add."""
    files = files_below(directory)
    async with AsyncExitStack() as stack:
        if kind == "file":
            yield f"file://{directory}", ""
        elif kind == "http":
            web = await stack.enter_async_context(serve(serve_directory(directory)))
            yield web.url, ""
        elif kind == "s3":
            s3 = stack.enter_context(run_s3_server())
            s3.make_bucket("volumes")
            for key, data in files.items():
                s3.put("volumes", f"some/where/{key}", data)
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            yield "s3://volumes/some/where", f'endpoint = "{s3.url}"\nregion = "us-east-1"'
        else:
            gcs = stack.enter_context(run_google_server())
            gcs.make_bucket("volumes")
            for key, data in files.items():
                gcs.put("volumes", f"some/where/{key}", data)
            yield "gs://volumes/some/where", f'endpoint = "{gcs.url}"\nanonymous = true'


@pytest.mark.parametrize("memory", ["0", '"1MiB"'])
@pytest.mark.parametrize("name", ["raw-holes", "jpeg-identity-holes", "raw-murmur-holes", "jpeg-regridded"])
async def test_blocks_are_correct_with_a_tiny_cache(name: str, memory: str, tmp_path: Path) -> None:
    truth = write_volume(tmp_path / "volume", SPECS[name])
    caches = f"[cache]\nmemory = {memory}\nindex_memory = {memory}\n"
    async with serving(config_text({"em": tmp_path / "volume"}, caches), tmp_path) as server:
        await assert_right(server, "em", SPECS[name], truth[0])


@pytest.mark.parametrize("kind", ["file", "http", "s3", "gcs"])
async def test_every_kind_of_store_gives_the_same_blocks(kind: str, tmp_path: Path) -> None:
    names = ("raw-holes", "jpeg-identity-holes", "raw-murmur-holes", "jpeg-regridded")
    truths = {name: write_volume(tmp_path / "volumes" / name, SPECS[name])[0] for name in names}
    async with placed(kind, tmp_path / "volumes") as (ref, keys):
        sections = [
            f'[store.{name}]\nengine = "ngprecomputed"\ninstance = "{name}"\nref = "{ref}/{name}"\n{keys}\n'
            for name in names
        ]
        async with serving(config_text({}, "\n".join(sections)), tmp_path, dict(os.environ)) as server:
            for name in names:
                await assert_right(server, name, SPECS[name], truths[name])
