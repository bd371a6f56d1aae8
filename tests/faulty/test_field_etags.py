"""Appliances and CDNs that give one object several ETags (row F26): right bytes, and never a mixture."""

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.check.checking import check
from dvidpc.config import load_config
from tests.faulty.bucket import FaultyBucket
from tests.faulty.site import SHARD, SHARDED, faulty_site
from tests.faulty.truth import write_truth

pytestmark = pytest.mark.parametrize("kind", ["http", "s3"])
LONG_AGO = time.time() - 3600
NO_CACHE = "[cache]\nmemory = 0\nindex_memory = 0"


def two_nodes(bucket: FaultyBucket) -> None:
    nodes = itertools.cycle(("", "-node-b"))
    bucket.make_etag = lambda etag: f'{etag[:-1]}{next(nodes)}"'


def new_each_time(bucket: FaultyBucket) -> None:
    numbers = itertools.count()
    bucket.make_etag = lambda etag: f'{etag[:-1]}-{next(numbers)}"'


def refuses_its_own(bucket: FaultyBucket) -> None:
    bucket.matches = lambda _asked, _etag: False


def latin_1(bucket: FaultyBucket) -> None:
    bucket.make_etag = lambda etag: f'{etag[:-1]}-é"'


def latin_1_by_turns(bucket: FaultyBucket) -> None:
    nodes = itertools.cycle(("é", "ü"))
    bucket.make_etag = lambda etag: f'{etag[:-1]}-{next(nodes)}"'


APPLIANCES = (two_nodes, new_each_time, refuses_its_own, latin_1, latin_1_by_turns)


def age(directory: Path) -> None:
    """Make the shard an hour old."""
    os.utime(directory / "bucket" / SHARD, (LONG_AGO, LONG_AGO))


@pytest.fixture(params=APPLIANCES, ids=[one.__name__ for one in APPLIANCES])
def misbehave(request: pytest.FixtureRequest) -> Callable[[FaultyBucket], None]:
    misbehaviour: Callable[[FaultyBucket], None] = request.param
    return misbehaviour


async def test_f26_every_block_is_served_whatever_the_etags(
    kind: str,
    misbehave: Callable[[FaultyBucket], None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with faulty_site(tmp_path, kind, SHARDED, NO_CACHE) as site:
        age(tmp_path)
        misbehave(site.bucket)
        site.bucket.counts.clear()
        for block in site.truth.blocks:
            assert await site.wrong([block]) == []
        assert site.bucket.counts[SHARD] <= 3 * len(site.truth.blocks) + 2
        ready = (await site.server.get("/readyz")).decode().splitlines()
    is_odd = misbehave is not latin_1
    assert len([one for one in caplog.messages if "unreliable etags" in one]) == is_odd
    assert ready[0] == "ok"
    assert ["etag" in line for line in ready[1:]] == [True] * is_odd


async def test_f26_a_replaced_shard_is_never_mixed_whatever_the_etags(
    kind: str, misbehave: Callable[[FaultyBucket], None], tmp_path: Path
) -> None:
    for number, spec in enumerate((replace(SHARDED, seed=77, holes=()), replace(SHARDED, seed=77))):
        directory = tmp_path / str(number)
        async with faulty_site(directory, kind, SHARDED) as site:
            age(directory)
            misbehave(site.bucket)
            assert await site.wrong([(0, 0, 0), (1, 0, 0), (2, 0, 0)]) == []
            truth = write_truth(directory / "new", spec)
            new = directory / "new" / "s0" / "0.shard"
            os.utime(new, (LONG_AGO + 1, LONG_AGO + 1))
            new.replace(directory / "bucket" / SHARD)
            assert truth.wrong_in([(0, 1, 0)], await site.server.get(site.path([(0, 1, 0)]))) == []
            assert truth.wrong_in(truth.blocks, await site.server.get(site.path(truth.blocks))) == []


async def test_f26_a_shard_written_a_moment_ago_proves_nothing_by_its_time(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, SHARDED) as site:
        now = int(time.time())
        os.utime(tmp_path / "bucket" / SHARD, (now, now))
        assert await site.wrong([(0, 0, 0)]) == []
        truth = write_truth(tmp_path / "new", replace(SHARDED, seed=77))
        new = tmp_path / "new" / "s0" / "0.shard"
        os.utime(new, (now, now))
        assert new.stat().st_size == (tmp_path / "bucket" / SHARD).stat().st_size
        new.replace(tmp_path / "bucket" / SHARD)
        assert truth.wrong_in([(0, 1, 0)], await site.server.get(site.path([(0, 1, 0)]))) == []
        assert truth.wrong_in([(0, 0, 0)], await site.server.get(site.path([(0, 0, 0)]))) == []


async def test_f26_check_warns_of_odd_etags(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, SHARDED) as site:
        age(tmp_path)
        for misbehave, warnings in ((two_nodes, 1), (latin_1, 0)):
            misbehave(site.bucket)
            config = load_config(tmp_path / "config.toml")
            [report] = [report async for report in check(config, {})]
            assert report.problems == ()
            found = [warning for warning in report.warnings if "several etags" in warning.text]
            assert len(found) == warnings
            assert all('[store.em] etag = "ignore"' in warning.fix for warning in found)


async def test_f26_etags_are_ignored_as_a_last_resort(kind: str, tmp_path: Path) -> None:
    for more, status in (("", 503), ('etag = "ignore"', 200)):
        async with faulty_site(tmp_path / str(status), kind, SHARDED, more) as site:
            new_each_time(site.bucket)
            site.bucket.tells_time = False
            assert await site.status([(0, 0, 0)]) == status
    async with faulty_site(tmp_path / "replaced", kind, SHARDED, 'etag = "ignore"') as site:
        new_each_time(site.bucket)
        assert await site.wrong([(0, 0, 0)]) == []
        truth = write_truth(tmp_path / "new", replace(SHARDED, seed=77, holes=()))
        (tmp_path / "new" / "s0" / "0.shard").replace(tmp_path / "replaced" / "bucket" / SHARD)
        assert truth.wrong_in([(0, 1, 0)], await site.server.get(site.path([(0, 1, 0)]))) == []
        assert truth.wrong_in(truth.blocks, await site.server.get(site.path(truth.blocks))) == []
