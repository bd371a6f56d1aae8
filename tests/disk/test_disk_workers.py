"""Workers share one disk cache: what one of them has read, none reads again."""

import asyncio
import re
from pathlib import Path

from tests.disk.sites import Process, data_reads, later
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import SHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.servers import free_port
from tests.serving import UUID

ANSWERED = 'dvidpc_requests_total{endpoint="specificblocks",status="200"}'
WRITTEN = "dvidpc_disk_cache_written_bytes_total"
HITS = "dvidpc_disk_cache_hits_total"


async def value_of(process: Process, port: int, sample: str) -> float:
    """Return a number of the worker whose metrics are at *port*; 0 if it has counted none."""
    _, text = await Process(process.command, f"http://localhost:{port}", process.session).ask("/metrics")
    found = re.search(rf"^{re.escape(sample)} (\S+)", text.decode(), re.MULTILINE)
    return float(found[1]) if found else 0


async def test_workers_share_what_one_has_read(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", SHARDED)
    path = blocks_path(f"/api/node/{UUID}", "em", truth.blocks)
    ports = range(port := free_port(), port + 2)
    metrics = f'[metrics]\naddress = "localhost:{port}"\n'
    async with faulty_bucket(tmp_path / "bucket") as bucket, asyncio.timeout(60):
        store = store_section("http", bucket)
        async with later(tmp_path, store, 0, workers=2, sections=metrics) as process:
            _, body = await process.ask(path)
            assert truth.wrong_in(truth.blocks, body) == []
            before = len(data_reads(bucket))
            nbytes = truth.voxels.size - 64**3  # a hole
            while max([await value_of(process, one, WRITTEN) for one in ports]) < nbytes:
                await process.ask("/healthz")
            while min([await value_of(process, one, ANSWERED) for one in ports]) == 0:
                assert await process.ask(path) == (200, body)
            assert len(data_reads(bucket)) == before
            assert max([await value_of(process, one, HITS) for one in ports]) > len(truth.blocks) // 2
