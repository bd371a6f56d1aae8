"""Requests of clients that an error would end are answered 200, however busy or broken things are."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.services import SERVICES
from dvidpc.http.admission import Admission
from tests.blockstream import parse_stream
from tests.faulty.faults import BROKEN, HANG, Fault
from tests.faulty.site import Site, faulty_site, limits_section
from tests.logged import logging_to
from tests.volumes import XYZ
from tests.waiting import soon

BLOCKS: list[XYZ] = [(0, 0, 0), (1, 0, 0)]
FIRST = "em/s0/0-64_0-64_0-64"


def blocks_in(body: bytes) -> list[XYZ]:
    return [block for block, _ in parse_stream(body)]


@pytest_asyncio.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Site]:
    """A server of one place and no queue, which an ordinary request holds until `heal`."""
    limits = limits_section(
        max_in_flight=1, max_waiting=0, wait_timeout=0.1, patient_wait_timeout=2, request_deadline=60
    )
    slow = limits.replace("first_byte_timeout = 0.8", "first_byte_timeout = 60")
    async with faulty_site(tmp_path, "http", limits=slow.replace("attempt_timeout = 1.6", "")) as site:
        site.bucket.rule(FIRST, Fault(delay_s=60))
        holder = asyncio.create_task(site.status([(0, 0, 0)]))
        await soon(lambda: site.server.app[SERVICES].admission.in_flight == 1)
        yield site
        holder.cancel()
        await asyncio.wait([holder])


@pytest.mark.parametrize("app", ["lowtis", "LOWTIS", "Lowtis"])
async def test_a_block_request_waits_for_its_place(busy: Site, app: str) -> None:
    path = f"{busy.path(BLOCKS)}&app={app}"
    waiting = [asyncio.create_task(busy.server.get(path)) for _ in range(5)]
    await soon(lambda: busy.server.app[SERVICES].admission.waiting == 5)
    assert (await busy.server.error(busy.path(BLOCKS)))[0] == 503  # everybody else is shed as before
    for document in ("/healthz", "/readyz", "/api/repos/info", f"{busy.server.node}/em/info?app={app}"):
        assert await busy.server.get(document)
    busy.bucket.heal()
    assert [blocks_in(await answer) for answer in waiting] == [BLOCKS] * 5


async def test_the_wait_ends_with_an_answer_and_not_with_an_error(
    busy: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for call in ("specificblocks?blocks=0,0,0,1,0,0&", "subvolblocks/128_64_64/0_0_0?"):
        path = f"{busy.server.node}/em/{call}u=ann&app=lowtis"
        assert await busy.server.get(path) == b""
        assert caplog.records[-1].getMessage() == (
            "all blocks left out of an answer: 2 of em for lowtis of ann at 127.0.0.1: "
            "not admitted within patient_wait_timeout"
        )
    assert await busy.server.get(f"{busy.server.node}/em/subvolblocks/3_3_3/0_0_0?app=lowtis") == b""
    assert (await busy.server.error(f"{busy.server.node}/em/specificblocks?blocks=0,0&app=lowtis"))[0] == 400


async def test_calls_that_leave_nothing_out_are_shed_for_these_clients_too(busy: Site) -> None:
    for call in ("blocks/0_0_0/1", "raw/0_1_2/9_9_9/0_0_0"):
        assert (await busy.server.error(f"{busy.server.node}/em/{call}?app=lowtis"))[0] == 503


def test_every_endpoint_that_answers_with_framed_blocks_leaves_failed_ones_out() -> None:
    """What has no frames, such as a cut-out, would have to pass failed voxels off as zeros."""
    framed = {
        (family, name)
        for family, one in FAMILIES.items()
        for name, endpoint in one.endpoints.items()
        if endpoint.omits_failed
    }
    assert framed == {
        ("imageblk", "specificblocks"),
        ("imageblk", "subvolblocks"),
        ("labelmap", "specificblocks"),
        ("labelmap", "blocks"),
        ("labelblk", "blocks"),
    }


async def test_memory_that_is_short_for_a_while_delays_a_block_request(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http") as site:
        short = True
        services = site.server.app[SERVICES]
        services.admission = admission = Admission(
            services.limits, shortage=lambda: "memory is short" if short else None
        )
        waiting = asyncio.create_task(site.server.get(f"{site.path(BLOCKS)}&app=lowtis"))
        await soon(lambda: admission.waiting == 1)
        assert (await site.server.error(site.path(BLOCKS)))[0] == 503
        short = False
        admission.sweep_once()
        assert blocks_in(await waiting) == BLOCKS


@pytest.mark.parametrize("fault", [BROKEN, HANG])
async def test_a_bucket_that_fails_for_a_while_costs_lowtis_no_block(tmp_path: Path, fault: Fault) -> None:
    async with faulty_site(tmp_path, "http", limits=limits_section(request_deadline=0.5)) as site:
        site.bucket.rule("em/s0/*", fault)
        lowtis = asyncio.create_task(site.server.get(f"{site.path(BLOCKS)}&app=lowtis"))
        assert (await site.server.error(site.path(BLOCKS)))[0] in {503, 504}
        site.bucket.heal()
        assert blocks_in(await lowtis) == BLOCKS


@pytest.mark.parametrize("fault", [BROKEN, HANG])
@pytest.mark.parametrize("call", ["specificblocks?blocks=0,0,0,1,0,0&", "subvolblocks/128_64_64/0_0_0?"])
async def test_blocks_that_stay_broken_are_left_out_when_patience_ends(
    tmp_path: Path, fault: Fault, call: str
) -> None:
    limits = limits_section(request_deadline=0.2, patient_wait_timeout=1)
    async with faulty_site(tmp_path, "http", limits=limits) as site:
        site.bucket.rule(FIRST, fault)
        log = tmp_path / "log"
        with logging_to(log, "json"):
            body = await site.server.get(f"{site.server.node}/em/{call}app=lowtis&u=ann")
        assert blocks_in(body) == [(1, 0, 0)]
        [line] = [line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "ERROR"]
        assert line["message"].startswith(
            "block left out of an answer: em 0,0,0 for lowtis of ann at 127.0.0.1: "
        )


async def test_a_box_that_is_one_block_is_left_out_too(tmp_path: Path) -> None:
    limits = limits_section(request_deadline=0.2, patient_wait_timeout=1)
    async with faulty_site(tmp_path, "http", limits=limits) as site:
        site.bucket.rule(FIRST, HANG)
        assert await site.server.get(f"{site.server.node}/em/subvolblocks/9_9_9/0_0_0?app=lowtis") == b""
        assert (await site.server.error(f"{site.server.node}/em/subvolblocks/9_9_9/0_0_0"))[0] == 504


async def test_a_client_that_is_named_in_the_configuration_in_another_case_is_found(tmp_path: Path) -> None:
    limits = limits_section() + 'omit_failed_blocks_for = ["NeuTu", "lowtis"]\n'
    async with faulty_site(tmp_path, "http", limits=limits) as site:
        shutil.rmtree(tmp_path / "bucket/em/s0")
        (tmp_path / "bucket/em/s0").mkdir()
        (tmp_path / "bucket" / FIRST).write_bytes(b"damaged")
        for app in ("neutu", "NeuTu", "NEUTU", "lowtis"):
            assert await site.server.get(f"{site.path(BLOCKS)}&app={app}") == b""
        assert (await site.server.error(f"{site.path(BLOCKS)}&app=NeuTu2"))[0] == 502


async def test_a_client_cannot_write_lines_into_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with faulty_site(tmp_path, "http") as site:
        (tmp_path / "bucket" / FIRST).write_bytes(b"damaged")
        path = f"{site.path([(0, 0, 0)])}&app=lowtis&u=a%0Ab{'c' * 100}"
        assert await site.server.get(path) == b""
    [text] = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert f"for lowtis of a\\nb{'c' * 57} at 127.0.0.1: " in text
