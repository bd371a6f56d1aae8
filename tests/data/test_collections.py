"""`Volumes` open collections of annotations among the other volumes, and notice changes of either."""

import asyncio
import json
import logging
import shutil
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.annotation import AnnotationData, LabelszData
from dvidpc.data.repo import Repo
from dvidpc.data.volumes import Volumes
from dvidpc.errors import StoreError
from dvidpc.formats.grid import Box
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import Point
from dvidpc.volume.resources import Resources
from tests.data.test_volumes import keeping, rewrite
from tests.synapses import LINES, write_bodies, write_lines
from tests.waiting import soon

SYN = VolumeSettings("syn", "syn", 64)
SEG = VolumeSettings("seg", "seg", 64)
EVERYTHING = Box(Point(-1000, -1000, -1000), Point(1000, 1000, 1000))


def data_of(repo: Repo) -> AnnotationData:
    data = repo.instance("2", "syn").data
    assert isinstance(data, AnnotationData)
    return data


async def positions(repo: Repo) -> list[list[int]]:
    return [element["Pos"] for element in json.loads(await data_of(repo).source.elements(EVERYTHING)) or []]


async def test_a_collection_is_two_instances_whichever_store_is_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_lines(tmp_path / "syn")
    write_bodies(tmp_path / "seg")
    for settings in ((SYN, SEG), (SEG, SYN)):
        caplog.clear()
        async with keeping(tmp_path, *settings) as (volumes, repo):
            assert {*repo.instances} == {"seg", "syn", "syn_labelsz"}
            assert all(volume.problem is None for volume in volumes.volumes)
            assert data_of(repo).syncs == ("seg",)
            counts = repo.instance("2", "syn_labelsz").data
            assert isinstance(counts, LabelszData)
            assert counts.syncs == ("syn",)
            assert len(await positions(repo)) == 5
        said = [record.getMessage() for record in caplog.records if "/syn: " in record.getMessage()]
        assert any("belongs to segmentation seg; positions count the voxels of seg" in line for line in said)
        assert any("pre_body" in line for line in said)


async def test_positions_count_in_the_voxels_of_the_segmentation(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn")
    write_bodies(tmp_path / "seg", 16)
    async with keeping(tmp_path, SYN, SEG) as (_, repo):
        assert sorted(await positions(repo)) == [
            [30, 25, 10],
            [35, 20, 5],
            [45, 95, 149],
            [50, 100, 150],
            [55, 102, 151],
        ]


async def test_a_rewritten_segmentation_moves_the_annotations(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "syn")
    write_bodies(tmp_path / "seg")
    async with keeping(tmp_path, SYN, SEG) as (_, repo):
        assert [70, 40, 10] in await positions(repo)
        rewrite(tmp_path / "seg" / "info", lambda info: info["scales"][0].update(resolution=[16, 16, 16]))
        await soon(lambda: data_of(repo).framed.roles.voxel_size_nm == (16, 16, 16))
        assert [35, 20, 5] in await positions(repo)
        assert "store syn: the volume that it counts in was rewritten" in caplog.text


async def test_a_replaced_collection_is_served_anew(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn")
    write_bodies(tmp_path / "seg")
    async with keeping(tmp_path, SYN, SEG) as (_, repo):
        before = data_of(repo)
        assert len(await positions(repo)) == 5
        shutil.rmtree(tmp_path / "syn")
        write_lines(tmp_path / "syn", LINES[2:])
        await soon(lambda: "syn" in repo.instances and data_of(repo) is not before)
        assert sorted(await positions(repo)) == [[60, 50, 20], [70, 40, 10]]


@asynccontextmanager
async def opening(
    directory: Path, is_down: Callable[[str], bool], *settings: VolumeSettings
) -> AsyncIterator[tuple[Volumes, Repo]]:
    """Volumes of which some cannot be opened."""
    repo = Repo("2" * 32, "em", "", 0.0)

    async def open_bucket(one: VolumeSettings) -> ObjectStore:
        if is_down(one.alias):
            raise StoreError(f"{one.alias} is down")
        access = BucketAccess(parse_ref(str(directory / one.alias)))
        return await open_store(access, UpstreamLimits(), environ={})

    payloads, indexes = (LoadingCache(10**8, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        resources = Resources(payloads, indexes, pool)
        volumes = Volumes(settings, open_bucket, repo, resources, retry_after_s=0.01, refresh_after_s=0.01)
        await volumes.start(5)
        try:
            yield volumes, repo
        finally:
            await volumes.close()


async def test_a_collection_waits_for_the_volume_that_decides(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "syn")
    write_bodies(tmp_path / "seg")
    down = {"seg"}
    tries: list[str] = []

    def is_down(alias: str) -> bool:
        tries.append(alias)
        return alias in down

    async with opening(tmp_path, is_down, SYN, SEG) as (volumes, repo):
        assert not repo.instances
        reason = volumes.reason_to_wait("syn_labelsz")
        assert reason is not None
        assert "store syn: waits for the volumes" in reason
        assert "store seg: seg is down" in reason
        await soon(lambda: len(tries) > 8)
        assert caplog.text.count("store syn is not served") == 1
        down.clear()
        await soon(lambda: {*repo.instances} == {"seg", "syn", "syn_labelsz"})
        assert data_of(repo).syncs == ("seg",)


async def test_two_collections_do_not_wait_for_each_other(tmp_path: Path) -> None:
    for name in ("syn", "more"):
        write_lines(tmp_path / name)
    async with asyncio.timeout(10), keeping(tmp_path, SYN, VolumeSettings("more", "more", 64)) as (_, repo):
        await soon(lambda: {"syn", "more"} <= {*repo.instances})
        assert data_of(repo).syncs == ()
