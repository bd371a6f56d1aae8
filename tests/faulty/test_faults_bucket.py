"""Bucket faults, one test each: the answer is correct, or an error that tells the client to retry.

The names of the rows, F1 and so on, are those of docs/reliability.md.
"""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.faulty import faults
from tests.faulty.bucket import faulty_bucket
from tests.faulty.faults import Fault
from tests.faulty.site import (
    SHARD,
    SHARDED,
    UNSHARDED,
    faulty_site,
    limits_section,
)
from tests.faulty.truth import write_truth
from tests.rawhttp import exchange
from tests.volumes import XYZ, VolumeSpec
from tests.waiting import soon

pytestmark = pytest.mark.parametrize("kind", ["http", "s3"])
FIRST: list[XYZ] = [(0, 0, 0)]
OTHER: list[XYZ] = [(0, 1, 0)]
DATA = "em/s0/*"
NO_CACHE = "[cache]\nmemory = 0\nindex_memory = 0"


async def test_f1_refused_connections_say_later_and_recover(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        await site.bucket.stop()
        started = time.monotonic()
        assert await site.status(FIRST) == 503
        assert time.monotonic() - started < 10
        await site.bucket.start(site.bucket.port)
        assert await site.wrong() == []


async def test_f2_a_bucket_that_hangs_says_too_slow_and_holds_up_nobody_else(
    kind: str, tmp_path: Path
) -> None:
    async with faulty_site(tmp_path, kind) as site:
        assert await site.wrong(OTHER) == []
        site.bucket.rule("em/s0/0-64_0-64_0-64", faults.HANG)
        slow = asyncio.create_task(site.status(FIRST))
        assert await site.wrong(OTHER) == []
        assert await site.wrong([(1, 0, 0), (2, 0, 0)]) == []
        assert await site.server.get("/healthz") == b"ok\n"
        assert not slow.done()
        assert await slow == 504
        site.bucket.heal()
        assert await site.wrong() == []


async def test_f2_the_deadline_holds_whatever_the_attempts_may_take(kind: str, tmp_path: Path) -> None:
    async with faulty_site(
        tmp_path, kind, limits=limits_section(first_byte_timeout=30, attempt_timeout=60, request_deadline=0.3)
    ) as site:
        site.bucket.rule(DATA, faults.HANG)
        assert await site.status(FIRST) == 504
        assert "request_deadline" in (await site.server.error(site.path(FIRST)))[1]


async def test_f3_slow_answers_arrive_and_stuck_ones_are_retried(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        stuck = (Fault(delay_s=0.2), Fault(pause_at=1000), Fault(pause_at=1), faults.HANG)
        site.bucket.script("em/s0/0-64_0-64_0-64", *stuck[:1])
        assert await site.wrong(FIRST) == []
        site.bucket.script("em/s0/0-64_64-128_0-64", *stuck[1:3])
        assert await site.wrong(OTHER) == []
        site.bucket.script("em/s0/64-128_0-64_0-64", stuck[3])
        assert await site.wrong([(1, 0, 0)]) == []


async def test_f3_a_body_that_stops_is_cut_while_the_attempt_has_time_left(kind: str, tmp_path: Path) -> None:
    async with faulty_site(
        tmp_path, kind, limits=limits_section(attempt_timeout=600, request_deadline=60)
    ) as site:
        site.bucket.script("em/s0/0-64_0-64_0-64", Fault(pause_at=1000))
        async with asyncio.timeout(30):
            assert await site.wrong(FIRST) == []
        assert site.bucket.counts["em/s0/0-64_0-64_0-64"] == 2


BROKEN = (
    faults.RESET,
    faults.TRUNCATED,
    faults.GARBAGE,
    faults.REFUSED_KEEP_ALIVE,
    faults.SHORT,
    faults.SHIFTED,
    faults.LYING_RANGE,
    Fault(reset_at=0),
    Fault(truncate_at=0),
    Fault(headers=(("Content-Range", "bytes */*"),)),
    Fault(headers=(("Content-Range", "nonsense"),)),
)


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_f4_broken_answers_are_retried(kind: str, spec: VolumeSpec, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, spec, NO_CACHE) as site:
        for fault in BROKEN:
            site.bucket.script(DATA, fault, None, fault)
            assert await site.wrong() == [], fault
            site.bucket.heal()


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_f4_broken_answers_are_never_cached(kind: str, spec: VolumeSpec, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, spec) as site:
        for fault, block in zip(BROKEN[:5], site.truth.blocks, strict=False):  # more opens the breaker
            site.bucket.script(DATA, fault, fault, fault)
            assert await site.status([block]) in {200, 502, 503}, fault
            site.bucket.heal()
        assert await site.wrong() == []


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_f4_answers_broken_for_good_are_an_error_until_they_are_whole(
    kind: str, spec: VolumeSpec, tmp_path: Path
) -> None:
    async with faulty_site(tmp_path, kind, spec) as site:
        for fault in (faults.RESET, faults.TRUNCATED, faults.GARBAGE):
            site.bucket.rule(DATA, fault)
            assert await site.status(FIRST) == 503
            site.bucket.heal()
        assert await site.wrong() == []


async def test_f5_an_endless_answer_to_a_range_is_not_read(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, SHARDED) as site:
        assert await site.wrong(FIRST) == []
        before = site.bucket.sent
        site.bucket.script(SHARD, Fault(whole=True, endless=True))
        assert await site.wrong(OTHER) == []
        assert site.bucket.sent - before < 32 * 2**20  # what the sockets hold of 1 GiB


@pytest.mark.parametrize("status", [500, 502, 503, 429, 504])
async def test_f6_two_failures_in_a_row_are_not_seen_by_clients(
    kind: str, status: int, tmp_path: Path
) -> None:
    async with faulty_site(tmp_path, kind) as site:
        site.bucket.script("em/s0/0-64_0-64_0-64", Fault(status=status), Fault(status=status))
        assert await site.wrong(FIRST) == []
        site.bucket.rule("em/s0/0-64_64-128_0-64", Fault(status=status))
        assert await site.status(OTHER) == 503
        assert site.bucket.counts["em/s0/0-64_64-128_0-64"] == 3


async def test_f6_retries_do_not_feed_an_overload(kind: str, tmp_path: Path) -> None:
    limits = limits_section(retry_budget=0.2, first_byte_timeout=30, request_deadline=60)  # no time-out here
    async with faulty_site(tmp_path, kind, limits=limits) as site:
        site.bucket.rule(DATA, faults.SLOW_DOWN)
        before = len(site.bucket.asked)
        blocks = [[block] for block in site.truth.blocks if site.truth.is_stored(block)] * 20
        answers = await asyncio.gather(*(site.status(block) for block in blocks))
        assert set(answers) == {503}
        assert len(site.bucket.asked) - before <= len(blocks) * 1.2


async def test_f6_a_long_retry_after_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        for status, retry_after, attempts in ((503, "0", 3), (429, "0", 3), (503, "6", 1), (429, "3600", 1)):
            site.bucket.rule(DATA, Fault(status=status, headers=(("Retry-After", retry_after),)))
            site.bucket.counts.clear()
            assert await site.status(FIRST) == 503
            assert site.bucket.counts["em/s0/0-64_0-64_0-64"] == attempts
            site.bucket.heal()
        assert await site.wrong() == []


async def test_f7_what_is_cached_is_served_and_a_dead_bucket_left_alone(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        assert await site.wrong(FIRST) == []
        site.bucket.rule("*", faults.BROKEN)
        asked = 0
        async with asyncio.timeout(30):
            while asked < len(site.bucket.asked):  # it answered a moment ago
                asked = len(site.bucket.asked)
                assert await site.status(OTHER) == 503
        for _ in range(50):
            assert await site.status(OTHER) == 503
            assert await site.wrong(FIRST) == []
        assert len(site.bucket.asked) - asked <= 10
        site.bucket.heal()
        async with asyncio.timeout(10):
            while await site.status(OTHER) != 200:  # noqa: ASYNC110 - the breaker has no event
                await asyncio.sleep(0.05)
        assert await site.wrong() == []


async def test_f9_a_redirect_is_an_error_and_reaches_nobody(kind: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    async with faulty_bucket(tmp_path / "elsewhere") as other, faulty_site(tmp_path, kind) as site:
        for status in (301, 302, 303, 307, 308):
            location = ("Location", f"{other.url}/em/s0/0-64_0-64_0-64")
            site.bucket.rule(DATA, Fault(status=status, headers=(location,)))
            assert await site.status(FIRST) == 503
            site.bucket.heal()
        assert await site.wrong() == []
        assert other.connections == 0


async def test_f11_a_refusal_is_an_error_unless_it_means_missing(kind: str, tmp_path: Path) -> None:
    hole: list[XYZ] = [(1, 1, 0)]
    async with faulty_site(tmp_path, kind) as site:
        site.bucket.rule("em/s0/64-128_64-128_0-64", Fault(status=403))
        assert await site.status(hole) == 503
    async with faulty_site(tmp_path / "lenient", kind, more="missing_status = [403, 404]") as site:
        site.bucket.rule("em/s0/64-128_64-128_0-64", Fault(status=403))
        assert await site.wrong(hole) == []


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_f12_missing_blocks_are_left_out(kind: str, spec: VolumeSpec, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, spec) as site:
        assert await site.wrong() == []
    async with faulty_site(tmp_path / "emptied", kind, spec) as site:
        for file in (tmp_path / "emptied" / "bucket" / "em" / "s0").iterdir():
            file.unlink()
        assert await site.server.get(site.path(site.truth.blocks)) == b""


async def test_f13_a_replaced_shard_gives_new_bytes_and_never_a_mixture(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, SHARDED) as site:
        assert await site.wrong([(0, 0, 0), (1, 0, 0), (2, 0, 0)]) == []
        truth = write_truth(tmp_path / "new", replace(SHARDED, seed=77, holes=()))
        (tmp_path / "new" / "s0" / "0.shard").replace(tmp_path / "bucket" / SHARD)
        body = await site.server.get(site.path([(0, 1, 0)]))
        assert truth.wrong_in([(0, 1, 0)], body) == []
        body = await site.server.get(site.path(truth.blocks))
        assert truth.wrong_in(truth.blocks, body) == []


async def test_f13_an_etag_that_flips_costs_one_more_try(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind, SHARDED) as site:
        for block in site.truth.blocks:
            site.bucket.flip_etag(SHARD)
            assert await site.wrong([block]) == []


async def test_f14_an_object_uploaded_late_is_seen_soon(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        file = tmp_path / "bucket" / "em" / "s0" / "0-64_0-64_0-64"
        data = file.read_bytes()
        file.unlink()
        assert await site.server.get(site.path(FIRST)) == b""
        file.write_bytes(data)
        async with asyncio.timeout(5):
            while not await site.server.get(site.path(FIRST)):  # noqa: ASYNC110 - nor has the cache
                await asyncio.sleep(0.02)
        assert await site.wrong(FIRST) == []


async def test_f15_connections_the_bucket_closed_are_not_noticed(kind: str, tmp_path: Path) -> None:
    async with faulty_site(tmp_path, kind) as site:
        for block in site.truth.blocks:
            site.bucket.script("*", faults.REFUSED_KEEP_ALIVE)
            assert await site.wrong([block]) == []


async def test_f16_a_failure_after_the_first_byte_cuts_the_connection(kind: str, tmp_path: Path) -> None:
    spec = VolumeSpec(size=(64 * 9, 128, 64))
    async with faulty_site(tmp_path, kind, spec) as site:
        last: XYZ = (8, 1, 0)
        site.bucket.rule("em/s0/512-576_64-128_0-64", Fault(status=500, delay_s=0.1))
        blocks = [block for block in site.truth.blocks if block != last] + [last]
        async with site.server.session.get(site.server.url + site.path(blocks)) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientError):
                await answer.read()


async def test_f16_a_cut_answer_never_looks_complete_to_a_client_of_http_1_0(
    kind: str, tmp_path: Path
) -> None:
    """Nginx asks by HTTP/1.0 unless it is told otherwise (johnsusek/praeco pull request 210)."""
    spec = VolumeSpec(size=(64 * 9, 128, 64))
    async with faulty_site(tmp_path, kind, spec, more=NO_CACHE) as site:
        last: XYZ = (8, 1, 0)
        blocks = [block for block in site.truth.blocks if block != last] + [last]
        request = f"GET {site.path(blocks)} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
        whole = await exchange(site.server.url, request)
        assert "content-length" not in whole.headers
        assert site.truth.wrong_in(blocks, whole.body) == []
        site.bucket.rule("em/s0/512-576_64-128_0-64", Fault(status=500, delay_s=0.1))
        with pytest.raises(ConnectionResetError):
            await exchange(site.server.url, request)


async def test_f17_clients_that_disconnect_stop_their_reads(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with faulty_site(
        tmp_path, kind, limits=limits_section(first_byte_timeout=30, attempt_timeout=60)
    ) as site:
        site.bucket.rule(DATA, faults.HANG)
        gone = [asyncio.create_task(site.status([block])) for block in site.truth.blocks * 20]
        stays = asyncio.create_task(site.status(FIRST))
        await soon(lambda: site.bucket.counts["em/s0/0-64_0-64_0-64"] > 0)
        for task in gone:
            task.cancel()
        await asyncio.wait(gone)
        site.bucket.heal()
        assert await stays in {200, 503}
        assert await site.wrong() == []
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_l11_two_hundred_identical_requests_cost_one_read_per_chunk(
    kind: str, spec: VolumeSpec, tmp_path: Path
) -> None:
    patient = limits_section(
        connect_timeout=30, first_byte_timeout=30, attempt_timeout=60, request_deadline=90
    )  # on a busy machine a second attempt would be one read more
    async with faulty_site(tmp_path, kind, spec, limits=patient) as site:
        site.bucket.rule(DATA, Fault(delay_s=0.1))
        site.bucket.asked.clear()
        assert set(await asyncio.gather(*(site.status(FIRST) for _ in range(200)))) == {200}
        # a shard costs its index, a minishard's index, and the chunk
        assert len(site.bucket.asked) == (1 if spec is UNSHARDED else 3)
