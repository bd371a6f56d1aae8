"""Stored chunks are counted correctly in every layout that tensorstore writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dvidpc.sources.counting import ChunkCount
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import parse_ref
from tests.opened import load_plan
from tests.servers import serve, serve_directory
from tests.volumes import VolumeSpec, sharding, write_volume

HOLES = ((2, 0, 0), (1, 2, 1))
LAYOUTS: dict[str, Mapping[str, Any] | None] = {
    "unsharded": None,
    "identity": sharding(),
    "murmur": sharding(hash="murmurhash3_x86_128", shard_bits=2, minishard_index_encoding="raw"),
    "one-minishard": sharding(minishard_bits=0, shard_bits=0, preshift_bits=0),
    "ids-narrower-than-the-bits": sharding(minishard_bits=3, shard_bits=9, preshift_bits=2),
}


async def count(ref: str) -> ChunkCount:
    access, limits = BucketAccess(parse_ref(ref)), UpstreamLimits(attempts=1)
    told: list[tuple[int, int]] = []
    store = await open_store(access, limits, environ={})
    lister = await open_lister(access, limits, environ={})
    try:
        plan = await load_plan(store)
        [census] = await plan.scales[0].stored.count(
            store, lister, lambda done, total: told.append((done, total))
        )
    finally:
        await store.close()
        if lister is not None:
            await lister.close()
    assert told
    return census


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_holes_are_found_by_listing_and_by_asking(tmp_path: Path, layout: str) -> None:
    spec = VolumeSpec(size=(190, 170, 100), offset=(3, -5, 7), sharding=LAYOUTS[layout], holes=HOLES)
    write_volume(tmp_path, spec)
    listed = await count(f"file://{tmp_path}")
    async with serve(serve_directory(tmp_path)) as server:
        asked = await count(server.url)
    for census in (listed, asked):
        assert (census.expected, census.stored) == (18, 16)
        assert census.first_absent == "131-193_-5-59_7-71"
        assert (census.foreign, census.damaged) == (0, 0)


async def test_a_complete_volume_has_no_missing_chunks(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec())
    census = await count(f"file://{tmp_path}")
    assert (census.stored, census.first_absent) == (census.expected, None)


async def test_compressed_files_are_chunks_and_others_are_not(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec())
    chunks = sorted((tmp_path / "s0").iterdir())
    chunks[0].rename(chunks[0].with_name(f"{chunks[0].name}.gz"))
    (tmp_path / "s0" / "provenance").write_text("{}")
    (tmp_path / "s0" / "old").mkdir()
    (tmp_path / "s0" / "old" / "0-64_0-64_0-64").write_bytes(b"1")
    census = await count(f"file://{tmp_path}")
    assert (census.stored, census.foreign) == (census.expected, 0)


async def test_chunks_of_another_grid_are_foreign(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec(size=(128, 128, 128)))
    (tmp_path / "s0" / "128-192_0-64_0-64").write_bytes(b"1")
    census = await count(f"file://{tmp_path}")
    assert (census.stored, census.foreign, census.first_foreign) == (8, 1, "128-192_0-64_0-64")


async def test_empty_chunks_are_damaged(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec())
    (tmp_path / "s0" / "0-64_0-64_0-64").write_bytes(b"")
    listed = await count(f"file://{tmp_path}")
    async with serve(serve_directory(tmp_path)) as server:
        asked = await count(server.url)
    for census in (listed, asked):
        assert census.damaged == 1
        assert census.damage[0].endswith("s0/0-64_0-64_0-64: chunk is empty (0 bytes)")


async def test_shard_that_was_cut_off_anywhere_is_damaged(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec(sharding=sharding(shard_bits=0, minishard_index_encoding="raw")))
    [shard] = (tmp_path / "s0").iterdir()
    whole = shard.read_bytes()
    for size in (0, 1, 63, 64, len(whole) // 2, len(whole) - 1):
        shard.write_bytes(whole[:size])
        census = await count(f"file://{tmp_path}")
        assert census.damaged == 1, size
        assert "0.shard" in census.damage[0]


async def test_ids_in_the_wrong_shard_are_foreign(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec(size=(256, 256, 128), sharding=sharding()))
    first, second = sorted((tmp_path / "s0").iterdir())
    held = await count(f"file://{tmp_path}")
    assert held.stored == held.expected == 32
    second.write_bytes(first.read_bytes())
    census = await count(f"file://{tmp_path}")
    assert 0 < census.stored < 32
    assert census.stored + census.foreign == 32


async def test_a_missing_directory_holds_no_chunks(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec())
    for file in (tmp_path / "s0").iterdir():
        file.unlink()
    (tmp_path / "s0").rmdir()
    census = await count(f"file://{tmp_path}")
    assert (census.stored, census.first_absent) == (0, "0-64_0-64_0-64")
