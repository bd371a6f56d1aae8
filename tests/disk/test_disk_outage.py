"""While the bucket is down, what lies on the disk is served; /readyz says that the bucket is down."""

from pathlib import Path

import pytest

from dvidpc.http.metric_sources import METRICS
from tests.disk.sites import disk_server, later
from tests.faulty.bucket import faulty_bucket
from tests.faulty.faults import BROKEN
from tests.faulty.site import SHARDED, UNSHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import UUID, Server
from tests.volumes import VolumeSpec

NODE = f"/api/node/{UUID}"


async def is_ready(server: Server) -> bool:
    status, text = await server.error("/readyz")
    assert status == 200 or text.startswith("store em: "), text
    return status == 200


@pytest.mark.parametrize("kind", ["http", "s3"])
@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_a_server_that_starts_while_the_bucket_is_down_serves_from_the_disk(
    kind: str, spec: VolumeSpec, tmp_path: Path
) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", spec)
    known = [block for block in truth.blocks if truth.is_stored(block)][:4]
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section(kind, bucket)
        async with disk_server(tmp_path, store) as server:
            await server.get(blocks_path(NODE, "em", known))
        await bucket.stop()
        async with disk_server(tmp_path, store) as server:
            assert truth.wrong_in(known, await server.get(blocks_path(NODE, "em", known))) == []
            assert not await is_ready(server)
            unknown = truth.blocks[-1]
            assert (await server.error(blocks_path(NODE, "em", [unknown])))[0] == 503
            disk = server.app[METRICS].disk
            assert disk is not None
            assert disk.counts.stale > 0, "the info"
            await bucket.start(bucket.port)


@pytest.mark.parametrize("minutes", [31, 45])
async def test_the_disk_stands_in_for_40_minutes(minutes: int, tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    known = truth.blocks[:2]
    path = blocks_path(NODE, "em", known)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with later(tmp_path, store, 0) as process:
            await process.ask(path)
        await bucket.stop()
        async with later(tmp_path, store, minutes) as process:
            status, body = await process.ask(path)
            assert status == (200 if minutes < 40 else 503)
            assert minutes > 40 or truth.wrong_in(known, body) == []
        await bucket.start(bucket.port)


async def test_a_bucket_that_goes_down_is_seen_with_a_warm_disk(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    known = truth.blocks[:2]
    path = blocks_path(NODE, "em", known)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            await server.get(path)
            assert await is_ready(server)
        async with disk_server(tmp_path, store, "memory = 0\nindex_memory = 0") as server:
            bucket.rule("*", BROKEN)
            assert not await is_ready(server)
            assert truth.wrong_in(known, await server.get(path)) == []
