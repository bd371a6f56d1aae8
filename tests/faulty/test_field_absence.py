"""Refused credentials and unmounted disks look like absent chunks (row F27), and are not served as such."""

import asyncio
from pathlib import Path

import pytest

from dvidpc.storage.absence import FRESH_S
from tests.faulty.bucket import BUCKET
from tests.faulty.faults import Fault
from tests.faulty.site import SHARDED, UNSHARDED, faulty_site, limits_section
from tests.faulty.truth import write_truth
from tests.serving import config_text, serving
from tests.volumes import XYZ, VolumeSpec

LISTED = "missing_status = [403, 404]"
REFUSED = Fault(status=403)
HOLE: list[XYZ] = [(1, 1, 0)]
FIRST: list[XYZ] = [(0, 0, 0)]


@pytest.mark.parametrize("status", [401, 403])
async def test_f27_a_refused_info_is_never_a_missing_one(status: int, tmp_path: Path) -> None:
    listed = f"missing_status = [{status}, 404]"
    async with faulty_site(tmp_path, "s3", more=listed) as site:
        assert await site.wrong() == []
    text = (tmp_path / "config.toml").read_text()
    async with faulty_site(tmp_path, "s3", more=listed) as site:
        site.bucket.rule("*", Fault(status=status))
        own = text[: text.index("[store.em]")] + (
            f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "s3://{BUCKET}/em"\n'
            f'endpoint = "{site.bucket.url}"\nanonymous = true\nregion = "us-east-1"\n{listed}\n'
        )
        async with serving(own, tmp_path, {}) as server:
            answered, said = await server.error("/readyz")
    assert answered == 503
    assert f"({status})" in said
    assert "missing_status" not in said


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_f27_credentials_refused_later_are_an_error_and_leave_no_empty_blocks(
    spec: VolumeSpec, tmp_path: Path
) -> None:
    more = f"{LISTED}\nblock_size = 128"
    async with faulty_site(tmp_path, "s3", spec, more) as site:
        node, bucket = site.server.node, site.bucket
        corner = f"{node}/em/raw/0_1_2/64_64_64/0_0_0"
        whole = f"{node}/em/raw/0_1_2/128_128_64/0_0_0"
        one_block = f"{node}/em/specificblocks?compression=uncompressed&blocks=0,0,0"
        before = await site.server.get(corner)
        bucket.rule("*", REFUSED)
        async with site.server.session.get(site.server.url + one_block) as response:
            await response.read()  # may be believed: info was read a moment ago
        await asyncio.sleep(FRESH_S + 0.1)
        bucket.counts.clear()
        for _ in range(20):
            assert (await site.server.error(f"{node}/em/raw/0_1_2/64_64_64/0_0_64"))[0] == 503
            assert (await site.server.error(whole))[0] == 503
        assert bucket.counts["em/info"] <= 3
        assert (await site.server.error("/readyz"))[0] == 503
        bucket.heal()
        await asyncio.sleep(FRESH_S + 0.4)
        body = await site.server.get(one_block)
        assert len(body) == 16 + 128**3
        assert body[16:].count(0) < 128**3 // 2
        assert await site.server.get(corner) == before


async def test_f27_absent_chunks_cost_few_questions_for_the_info(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(640, 64, 64), holes=tuple((x, 0, 0) for x in range(1, 10)))
    async with faulty_site(tmp_path, "s3", spec, f"{LISTED}\n[cache]\nmemory = 0") as site:
        for x in range(1, 10):
            site.bucket.rule(f"em/s0/{64 * x}-{64 * x + 64}_*", REFUSED)
        site.bucket.counts.clear()
        for _ in range(3):
            assert await site.wrong([(x, 0, 0) for x in range(1, 10)]) == []
        assert site.bucket.counts["em/info"] <= 1
        await asyncio.sleep(FRESH_S)
        await asyncio.gather(*(site.wrong([(x, 0, 0)]) for x in range(1, 10)))
        assert site.bucket.counts["em/info"] <= 2


async def test_f27_what_is_refused_while_others_are_read_is_absent(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "s3", more=LISTED) as site:
        site.bucket.rule("em/s0/64-128_64-128_0-64", REFUSED)
        await asyncio.sleep(FRESH_S)
        assert await site.wrong(HOLE) == []


async def test_f27_a_web_server_without_its_disk_is_an_error(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http") as site:
        assert await site.wrong(FIRST) == []
        (tmp_path / "bucket" / "em").rename(tmp_path / "unmounted")
        await asyncio.sleep(FRESH_S)
        assert await site.status([(0, 1, 0)]) == 503
        assert "volume is gone" in (await site.server.error(site.path([(2, 0, 0)])))[1]
        (tmp_path / "unmounted").rename(tmp_path / "bucket" / "em")
        await asyncio.sleep(FRESH_S)
        assert await site.wrong() == []


async def test_f27_a_directory_without_its_disk_is_an_error(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "root" / "em", UNSHARDED)
    text = config_text({"em": tmp_path / "root" / "em"}, limits_section())
    async with serving(text, tmp_path) as server:
        path = f"{server.node}/em/specificblocks?compression=uncompressed&blocks=0,0,0"
        other = path.replace("0,0,0", "0,1,0")
        assert truth.wrong_in(FIRST, await server.get(path)) == []
        (tmp_path / "root" / "em").rename(tmp_path / "unmounted")
        await asyncio.sleep(FRESH_S)
        status, said = await server.error(other)
        assert status == 503
        assert "is the disk mounted?" in said
        (tmp_path / "unmounted").rename(tmp_path / "root" / "em")
        await asyncio.sleep(FRESH_S)
        assert truth.wrong_in([(0, 1, 0)], await server.get(other)) == []


@pytest.mark.parametrize("status", [520, 522, 530, 425, 429])
async def test_f27_an_info_that_is_busy_says_nothing_about_absence(status: int, tmp_path: Path) -> None:
    """A CDN has statuses of its own for a server that it cannot reach (minio-go pull request 1935)."""
    async with faulty_site(tmp_path, "s3") as site:
        assert await site.wrong(HOLE) == []
        site.bucket.rule("em/info", Fault(status=status))
        await asyncio.sleep(FRESH_S)
        answered, said = await site.server.error(site.path(HOLE))
        assert answered == 503
        assert f"em/info cannot be read: the server answers {status}" in said
        assert "credentials" not in said
        site.bucket.heal()
        assert await site.wrong() == []
