"""A short soak, and servers killed at random, with a disk cache that the volumes do not fit into."""

from pathlib import Path

import pytest

from tests.faulty.crashes import crash_often
from tests.faulty.soak import Findings, problems, soak
from tests.faulty.troubled_disk import troubled_disk

SIZE = (512, 256, 256)


async def test_f23_a_disk_that_fails_now_and_then(tmp_path: Path) -> None:
    findings = Findings()
    with troubled_disk(tmp_path) as disk:
        log = await soak(tmp_path, 0.4, 0.02, findings, disk, size=SIZE, every_s=2.5)
    assert problems(findings, log) == []
    assert findings.blocks > 0
    assert findings.disk is not None
    assert {"deleted", "flipped_bits", "lost_pages"} <= set(findings.disk.troubles)
    assert findings.disk.metrics["errors_total"] > 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_f23_killed_servers_leave_a_cache_that_is_right(workers: int, tmp_path: Path) -> None:
    with troubled_disk(tmp_path) as disk:
        crashes = await crash_often(tmp_path, disk, 15, workers=workers, most_s=10, size=SIZE)
    assert crashes.problems() == []
    assert crashes.kills.total() > 2
