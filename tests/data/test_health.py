"""`HealthChecks` reads the `info` and one block of each volume, and remembers the result for a while."""

import json
from pathlib import Path

import pytest

from dvidpc.data.health import KEPT_S, Health, HealthChecks
from dvidpc.dvid.services import SERVICES
from dvidpc.sources.counting import Nearby
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.storage.base import Lister, ObjectStore
from tests.faulty.bucket import faulty_bucket
from tests.faulty.faults import BROKEN, HANG, Fault
from tests.faulty.site import Site, faulty_site, store_section
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume
from tests.waiting import Clock

COARSE = "em/s1/*"
SPEC = VolumeSpec(size=(300, 300, 20), scale_levels=2)
MIDDLE = "em/s1/64-128_64-128_0-10"
"""The chunk in the middle of 150 x 150 x 10 voxels."""


def checks_of(site: Site, clock: Clock) -> HealthChecks:
    volumes = site.server.app[SERVICES].volumes
    return HealthChecks(lambda: volumes.volumes, clock)


async def test_the_info_and_the_middle_of_the_coarsest_scale_are_read(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        clock = Clock()
        health = checks_of(site, clock)
        site.bucket.counts.clear()
        assert await health.check() == {"em": Health()}
        assert site.bucket.counts == {"em/info": 1, MIDDLE: 1}
        assert await health.check() == health.last() == {"em": Health()}
        assert site.bucket.counts == {"em/info": 1, MIDDLE: 1}
        clock.now += KEPT_S
        assert await health.check() == {"em": Health()}
        assert site.bucket.counts == {"em/info": 2, MIDDLE: 1}, "the block is cached"


@pytest.mark.parametrize("kind", ["http", "s3"])
@pytest.mark.parametrize("fault", [BROKEN, Fault(reset_at=10)], ids=["status", "reset"])
async def test_a_bucket_that_serves_only_the_info_is_unhealthy(
    tmp_path: Path, kind: str, fault: Fault
) -> None:
    async with faulty_site(tmp_path, kind, SPEC) as site:
        clock = Clock()
        health = checks_of(site, clock)
        site.bucket.rule(COARSE, fault)
        [found] = (await health.check()).values()
        assert found.problem is not None
        assert MIDDLE in found.problem
        status, text = await site.server.error("/readyz")
        assert status == 503
        assert text.startswith("store em: ")
        assert MIDDLE in text
        site.bucket.heal()
        clock.now += KEPT_S
        assert await health.check() == {"em": Health()}


class Unforeseen:
    """A format that raises what nobody expects."""

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        raise LookupError(store.url, settings)

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> Nearby | None:
        raise LookupError(store.url, lister, directory)

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        raise LookupError(metadata, settings)


async def test_a_block_that_is_not_stored_is_an_answer(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        (site.bucket.directory / MIDDLE).unlink()
        assert await site.server.get("/readyz") == b"ok\n"


async def test_a_shard_that_cannot_be_read_is_noticed(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(300, 300, 20), scale_levels=2, sharding=sharding())
    async with faulty_site(tmp_path, "s3", spec) as site:
        site.bucket.rule(COARSE, BROKEN)
        assert (await site.server.error("/readyz"))[0] == 503


@pytest.mark.parametrize("fault", ["damaged", "refused"])
async def test_damage_that_every_replica_would_find_is_reported_but_the_server_stays_ready(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        if fault == "damaged":
            (site.bucket.directory / MIDDLE).write_bytes(b"no chunk")
        else:
            site.bucket.rule(COARSE, Fault(status=403))
        clock = Clock()
        health = checks_of(site, clock)
        [found] = (await health.check()).values()
        assert found.problem is None
        assert found.damage is not None
        assert MIDDLE in found.damage
        clock.now += KEPT_S
        assert await health.check() == {"em": found}
        assert [record for record in caplog.records if found.damage in record.getMessage()][1:] == []
        body = (await site.server.get("/readyz")).decode()
        assert body == f"ok\nstore em: {found.damage}\n"


async def test_a_bucket_that_refuses_the_info_too_is_unhealthy(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        site.bucket.rule("em/*", Fault(status=403))
        [found] = (await checks_of(site, Clock()).check()).values()
        assert found.problem is not None
        assert "403" in found.problem


async def test_an_info_that_is_gone_is_noticed(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        (site.bucket.directory / "em" / "info").unlink()
        [found] = (await checks_of(site, Clock()).check()).values()
        assert found.problem is not None
        assert "em/info does not exist" in found.problem


async def test_a_block_that_hangs_is_not_waited_for_long(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        site.bucket.rule(COARSE, HANG)
        health = checks_of(site, Clock())
        [found] = (await health.check()).values()
        assert found.problem is not None
        assert "does not answer within 2 s" in found.problem
        await health.close()


@pytest.mark.parametrize(
    ("edge", "asked"), [(1024, {"em/info": 1}), (64, {"em/info": 1, "em/s0/0-64_0-64_0-64": 1})]
)
async def test_only_a_chunk_that_may_stay_in_the_cache_is_read(
    tmp_path: Path, edge: int, asked: dict[str, int]
) -> None:
    info = tmp_path / "bucket" / "em" / "info"
    write_volume(info.parent, VolumeSpec(size=(64, 64, 64)))
    described = json.loads(info.read_text())
    described["scales"][0] |= {"size": [edge] * 3, "chunk_sizes": [[1024] * 3]}
    info.write_text(json.dumps(described))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        text = config_text({}, store_section("http", bucket))
        async with serving(text, tmp_path, {}) as server:
            volumes = server.app[SERVICES].volumes
            bucket.counts.clear()
            assert await HealthChecks(lambda: volumes.volumes).check() == {"em": Health()}
            assert bucket.counts == asked


async def test_unexpected_failure_of_a_probe_is_logged_and_the_volume_not_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with faulty_site(tmp_path, "http", SPEC) as site:
        volumes = site.server.app[SERVICES].volumes.volumes
        [volume] = volumes
        metadata, volume.source_format = volume.source_format, Unforeseen()
        [found] = (await checks_of(site, Clock()).check()).values()
        volume.source_format = metadata
        assert found.problem == "unexpected LookupError, a bug of dvidpc that the log shows"
    assert "background task failed: probe of store em" in caplog.text
