"""Workers share one disk cache: what one of them has read, none reads again."""

import asyncio
import re
from pathlib import Path

from dvidpc.cache.disk.upkeep import stats_of
from tests.disk.sites import data_reads, later
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import SHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import UUID

REQUEST = re.compile(r"request id=(\w+)-\w+ .* endpoint=specificblocks status=200 .* upstream=(\d+) ")


def bytes_on(disk: Path) -> int:
    """Return the bytes of all values in a disk cache."""
    stats = stats_of(disk)
    return 0 if stats is None else sum(store.nbytes for store in stats.stores)


async def test_workers_share_what_one_has_read(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", SHARDED)
    path = blocks_path(f"/api/node/{UUID}", "em", truth.blocks)
    async with faulty_bucket(tmp_path / "bucket") as bucket, asyncio.timeout(60):
        async with later(tmp_path, store_section("http", bucket), 0, workers=2) as process:
            _, body = await process.ask(path)
            assert truth.wrong_in(truth.blocks, body) == []
            while bytes_on(tmp_path / "disk") < truth.voxels.size - 64**3:  # there is one hole
                await process.ask("/healthz")
            before = len(data_reads(bucket))
            for _ in range(40):
                assert await process.ask(path) == (200, body)
        assert len(data_reads(bucket)) == before
        requests = [found for line in process.command.lines if (found := REQUEST.search(line))]
        first = {found[1]: found for found in reversed(requests)}  # by worker
        [reader, other] = sorted(first.values(), key=lambda found: found[2] == "0")
        assert int(reader[2]) > 0
        assert other[2] == "0"
        assert int(re.findall(r" disk=(\d+) ", other.string)[0]) > len(truth.blocks) // 2
