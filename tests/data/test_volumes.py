"""`Volumes`: volumes are added, removed and changed while they are served."""

import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.repo import Repo
from dvidpc.data.volumes import Volumes
from dvidpc.errors import ConfigError
from dvidpc.formats.payloads import JPEG
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import BlockCoord
from dvidpc.volume.resources import Resources
from tests.array_volumes import levels_of, tissue, write_ome_zarr
from tests.opened import data_of
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume
from tests.waiting import soon

BLOCK = BlockCoord(0, 0, 0)
SOURCE = VolumeSettings("em", "em", 64)
NOBODY = "http://127.0.0.1:1/em"
"""An address where nothing listens."""


@asynccontextmanager
async def keeping(
    directory: Path,
    *sources: VolumeSettings,
    before_opening: Callable[[], None] = lambda: None,
    retry_after_s: float = 0.01,
) -> AsyncIterator[tuple[Volumes, Repo]]:
    """Volumes below *directory*, each in the directory that has its alias, looked at all the time."""
    payloads, indexes = (LoadingCache(10**8, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    repo = Repo("2" * 32, "em", "", 0.0)

    async def open_bucket(source: VolumeSettings) -> ObjectStore:
        before_opening()
        access = BucketAccess(parse_ref(str(directory / source.alias)))
        return await open_store(access, UpstreamLimits(), environ={})

    with ThreadPoolExecutor(1) as pool:
        resources = Resources(payloads, indexes, pool)
        volumes = Volumes(
            sources, open_bucket, repo, resources, retry_after_s=retry_after_s, refresh_after_s=0.01
        )
        await volumes.start(5)
        try:
            yield volumes, repo
        finally:
            await volumes.close()


def rewrite(info: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Replace a volume's `info` atomically, as a bucket does."""
    document = json.loads(info.read_bytes())
    change(document)
    new = info.with_name("info.new")
    new.write_text(json.dumps(document))
    new.replace(info)


async def test_a_new_scale_is_served(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=2))
    whole = (tmp_path / "em" / "info").read_bytes()
    rewrite(tmp_path / "em" / "info", lambda info: info["scales"].pop())
    async with keeping(tmp_path, SOURCE) as (_, repo):
        assert list(repo.instances) == ["em"]
        (tmp_path / "em" / "info").write_bytes(whole)
        await soon(lambda: list(repo.instances) == ["em", "em_1"])


async def test_changed_geometry_drops_what_was_cached(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    async with keeping(tmp_path, SOURCE) as (_, repo):
        before = repo.instance("2", "em")
        assert await data_of(before).grid.fetch(BLOCK, JPEG) is not None
        assert data_of(before).grid.peek(BLOCK, JPEG)
        rewrite(tmp_path / "em" / "info", lambda info: info["scales"][0].update(voxel_offset=[6400, 0, 0]))
        await soon(lambda: repo.instance("2", "em") is not before)
        after = repo.instance("2", "em")
        assert data_of(after).min_point == (6400, 0, 0)
        assert await data_of(after).grid.fetch(BLOCK, JPEG) is None
        assert not isinstance(data_of(before).grid.peek(BLOCK, JPEG), bytes)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
async def test_new_level_of_a_group_of_arrays_is_served(tmp_path: Path, version: str) -> None:
    levels = levels_of(tissue((70, 70, 70)), 2)
    write_ome_zarr(tmp_path / "em", levels, version=version)
    group = tmp_path / "em" / (".zattrs" if version == "0.4" else "zarr.json")
    whole = group.read_bytes()

    def leave_last_out(document: dict[str, Any]) -> None:
        attributes = document if version == "0.4" else document["attributes"]["ome"]
        attributes["multiscales"][0]["datasets"].pop()

    rewrite(group, leave_last_out)
    async with keeping(tmp_path, replace(SOURCE, engine="zarr")) as (_, repo):
        assert list(repo.instances) == ["em"]
        group.write_bytes(whole)
        await soon(lambda: list(repo.instances) == ["em", "em_1"])


async def test_array_that_grows_drops_what_was_cached(tmp_path: Path) -> None:
    voxels = tissue((70, 70, 70))
    write_ome_zarr(tmp_path / "em", [voxels])
    async with keeping(tmp_path, replace(SOURCE, engine="zarr")) as (_, repo):
        before = repo.instance("2", "em")
        block = await data_of(before).grid.fetch(BLOCK, JPEG)
        assert block is not None
        rewrite(tmp_path / "em" / "s0" / ".zarray", lambda array: array.update(shape=[140, 70, 70]))
        await soon(lambda: repo.instance("2", "em") is not before)
        after = data_of(repo.instance("2", "em"))
        assert after.max_point == (69, 69, 139)
        assert not isinstance(data_of(before).grid.peek(BLOCK, JPEG), bytes)
        assert await after.grid.fetch(BLOCK, JPEG) == block


@pytest.mark.parametrize("damage", [b"{", b"", b'{"scales": []}'])
async def test_broken_info_changes_nothing(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    async with keeping(tmp_path, SOURCE) as (volumes, repo):
        instance = repo.instance("2", "em")
        (tmp_path / "em" / "info").write_bytes(damage)
        await soon(lambda: "served as before" in caplog.text)
        (tmp_path / "em" / "info").unlink()
        await soon(lambda: "does not exist" in caplog.text)
        assert repo.instance("2", "em") is instance
        assert volumes.volumes[0].problem is None
        assert caplog.text.count("served as before") == 2


async def test_volumes_come_and_go(tmp_path: Path) -> None:
    for alias in ("em", "seg"):
        write_volume(tmp_path / alias, VolumeSpec(size=(64, 64, 64)))
    seg = VolumeSettings("seg", "seg", 64)
    async with keeping(tmp_path, SOURCE) as (volumes, repo):
        em = repo.instance("2", "em")
        await volumes.replace([SOURCE, seg], (), 5)
        assert list(repo.instances) == ["em", "seg"]
        assert repo.instance("2", "em") is em
        await volumes.replace([seg], (), 5)
        assert list(repo.instances) == ["seg"]
        assert await data_of(em).grid.fetch(BLOCK, JPEG) is not None, "requests under way end well"


async def test_changed_volume_is_served_as_before_until_it_opens(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
    async with keeping(tmp_path, SOURCE) as (volumes, repo):
        before = repo.instance("2", "em")
        info = (tmp_path / "em" / "info").read_bytes()
        (tmp_path / "em" / "info").unlink()
        await volumes.replace([SOURCE], ["em"], 5)
        assert volumes.volumes[0].problem is not None
        assert repo.instance("2", "em") is before
        assert await data_of(before).grid.fetch(BLOCK, JPEG) is not None
        (tmp_path / "em" / "info").write_bytes(info)
        await soon(lambda: volumes.volumes[0].problem is None)
        assert repo.instance("2", "em") is not before


async def test_renamed_instance_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
    async with keeping(tmp_path, SOURCE) as (volumes, repo):
        await volumes.replace([VolumeSettings("em", "grey", 64)], (), 5)
        assert list(repo.instances) == ["grey"]


@pytest.mark.parametrize("name", ["em", "em_3", "em_c1", "em_c2_1"])
async def test_every_instance_a_closed_volume_can_have_is_503(tmp_path: Path, name: str) -> None:
    async with serving(config_text({"em": NOBODY}), tmp_path, {}) as server:
        status, text = await server.error(f"{server.node}/{name}/info")
        assert status == 503
        assert f'"{name}" is not served yet: store em' in text


@pytest.mark.parametrize("name", ["em_c0", "em_x", "other"])
async def test_other_names_are_400(tmp_path: Path, name: str) -> None:
    async with serving(config_text({"em": NOBODY}), tmp_path, {}) as server:
        assert (await server.error(f"{server.node}/{name}/info"))[0] == 400


async def test_unexpected_failure_is_shown_and_the_volume_is_served_once_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
    broken = True

    def fail() -> None:
        if broken:
            raise LookupError("unforeseen")

    async with keeping(tmp_path, SOURCE, before_opening=fail) as (volumes, repo):
        [volume] = volumes.volumes
        await soon(lambda: volume.problem == "unexpected LookupError, a bug of dvidpc that the log shows")
        assert volumes.reason_to_wait("em") is not None
        broken = False
        await soon(lambda: volume.problem is None)
        assert list(repo.instances) == ["em"]
    assert "background task failed: store em; it restarts in 0.01 s" in caplog.text


async def test_setting_of_the_environment_that_is_wrong_may_pass(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))

    def fail() -> None:
        raise ConfigError("AWS settings: no such profile")

    async with keeping(tmp_path, SOURCE, before_opening=fail) as (volumes, _):
        assert volumes.reason_to_wait("em_c1") == "store em: AWS settings: no such profile"


async def test_reload_opens_a_volume_with_a_problem_at_once(tmp_path: Path) -> None:
    async with keeping(tmp_path, SOURCE, retry_after_s=1000) as (volumes, repo):
        assert list(repo.instances) == []
        write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
        await volumes.replace([SOURCE], (), 5)
        assert volumes.volumes[0].problem is None
        assert list(repo.instances) == ["em"]
