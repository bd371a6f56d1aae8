"""What a restart finds on the disk: blocks without reads, and what was replaced in the bucket meanwhile."""

import json
import shutil
from pathlib import Path

import pytest

from tests.array_volumes import tissue, write_ome_zarr
from tests.disk.sites import data_reads, disk_server, later, replace_volume
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import SHARDED, UNSHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import UUID, Server
from tests.volumes import XYZ, VolumeSpec

SPECS = pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
NODE = f"/api/node/{UUID}"


async def fetch(server: Server, blocks: list[XYZ]) -> bytes:
    return await server.get(blocks_path(server.node, "em", blocks))


def edit_info(volume: Path) -> None:
    """Change the metadata of a volume, and nothing of what they say."""
    info = json.loads((volume / "info").read_text())
    (volume / "info").write_text(json.dumps({**info, "edited": True}))


@pytest.mark.parametrize("kind", ["http", "s3"])
@SPECS
async def test_the_same_blocks_cost_reads_of_metadata_only(
    kind: str, spec: VolumeSpec, tmp_path: Path
) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section(kind, bucket)
        async with disk_server(tmp_path, store) as server:
            cold = await fetch(server, truth.blocks)
        assert data_reads(bucket)
        bucket.asked.clear()
        async with disk_server(tmp_path, store) as server:
            assert await fetch(server, truth.blocks) == cold
        assert bucket.counts["em/info"] == 2
        assert data_reads(bucket) == []
    assert truth.wrong_in(truth.blocks, cold) == []


@SPECS
async def test_an_edited_info_makes_everything_be_compared(spec: VolumeSpec, tmp_path: Path) -> None:
    volume = tmp_path / "bucket" / "em"
    truth = write_truth(volume, spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(truth.blocks, await fetch(server, truth.blocks)) == []
        truth = replace_volume(volume, spec)
        edit_info(volume)
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(truth.blocks, await fetch(server, truth.blocks)) == []
        bucket.asked.clear()
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(truth.blocks, await fetch(server, truth.blocks)) == []
        assert data_reads(bucket) == [], "what was read since then is trusted"


async def test_after_an_edited_info_what_is_unchanged_costs_one_byte(tmp_path: Path) -> None:
    volume = tmp_path / "bucket" / "em"
    truth = write_truth(volume, UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            await fetch(server, truth.blocks)
        edit_info(volume)
        bucket.asked.clear()
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(truth.blocks, await fetch(server, truth.blocks)) == []
        chunks = [one for one in bucket.asked if one.key in data_reads(bucket)]
        assert chunks
        assert {one.headers["range"] for one in chunks} == {"bytes=0-0"}


@SPECS
async def test_an_edited_info_is_not_forgotten_by_the_next_restart(spec: VolumeSpec, tmp_path: Path) -> None:
    """The server that reads the edit reads no block, and the next one finds the new `info` on the disk."""
    volume = tmp_path / "bucket" / "em"
    truth = write_truth(volume, spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            await fetch(server, truth.blocks)
        truth = replace_volume(volume, spec)
        edit_info(volume)
        async with disk_server(tmp_path, store) as server:
            await server.get(f"{server.node}/em/info")
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(truth.blocks, await fetch(server, truth.blocks)) == []


async def test_an_array_that_is_rewritten_is_never_a_mixture(tmp_path: Path) -> None:
    volume = tmp_path / "bucket" / "em"
    old, new = tissue((128, 128, 128), seed=1), tissue((128, 128, 128), seed=2)
    path = f"{NODE}/em/raw/0_1_2/128_128_128/0_0_0"
    write_ome_zarr(volume, [old], version="0.5", chunk=(64, 64, 64))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket).replace("ngprecomputed", "zarr")
        async with disk_server(tmp_path, store) as server:
            assert await server.get(path) == old.tobytes()
        group = (volume / "zarr.json").read_bytes()
        shutil.rmtree(volume)
        write_ome_zarr(volume, [new], version="0.5", chunk=(32, 64, 64))
        assert (volume / "zarr.json").read_bytes() == group, "only the document of the level has changed"
        async with disk_server(tmp_path, store) as server:
            assert await server.get(path) == new.tobytes()


async def test_a_replaced_shard_is_noticed_by_the_first_read_of_it(tmp_path: Path) -> None:
    volume = tmp_path / "bucket" / "em"
    old = write_truth(volume, SHARDED)
    known, rest = old.blocks[:4], old.blocks[4:]
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            assert old.wrong_in(known, await fetch(server, known)) == []
        new = replace_volume(volume, SHARDED)
        async with disk_server(tmp_path, store) as server:
            assert old.wrong_in(known, await fetch(server, known)) == [], "30 minutes are not over"
            assert new.wrong_in(rest, await fetch(server, rest)) == []
            assert new.wrong_in(known, await fetch(server, known)) == []


async def test_a_replaced_chunk_is_seen_once_it_is_half_an_hour_old(tmp_path: Path) -> None:
    volume = tmp_path / "bucket" / "em"
    old = write_truth(volume, UNSHARDED)
    path = blocks_path(NODE, "em", old.blocks)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with later(tmp_path, store, 0) as server:
            assert old.wrong_in(old.blocks, (await server.ask(path))[1]) == []
        new = replace_volume(volume, UNSHARDED)
        bucket.asked.clear()
        async with later(tmp_path, store, 25) as server:
            assert old.wrong_in(old.blocks, (await server.ask(path))[1]) == []
        assert data_reads(bucket) == []
        async with later(tmp_path, store, 31) as server:
            assert new.wrong_in(old.blocks, (await server.ask(path))[1]) == []


async def test_what_is_half_an_hour_old_and_unchanged_is_compared_once(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    path = blocks_path(NODE, "em", truth.blocks)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with later(tmp_path, store, 0) as server:
            await server.ask(path)
        for expected in ({"bytes=0-0"}, set()):
            bucket.asked.clear()
            async with later(tmp_path, store, 31) as server:
                assert truth.wrong_in(truth.blocks, (await server.ask(path))[1]) == []
            read = data_reads(bucket)
            assert {one.headers.get("range") for one in bucket.asked if one.key in read} == expected
