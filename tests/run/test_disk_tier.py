"""The disk cache is made if it is configured, in front of buckets only, and costs nothing if it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.config import CacheConfig, load_config
from dvidpc.http.metric_sources import METRICS
from dvidpc.run.disk_tier import keeping_open, make_disk_cache
from dvidpc.run.reload import RELOADING
from tests.commands import run
from tests.disk.sites import data_reads, disk_server, disk_text
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import UNSHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import config_text

SECTION = '[store.em]\nengine = "ngprecomputed"\nref = "https://bucket.example.org/em"\ninstance = "em"\n'


async def fail_while_open(disk: DiskCache) -> None:
    async with keeping_open(disk):
        assert disk.trouble is None
        raise LookupError


async def test_what_is_kept_open_is_closed_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        await fail_while_open(DiskCache(tmp_path, 2**26))
    database = tmp_path / "dvidpc-cache/cache.sqlite"
    assert database.stat().st_size > 0
    assert not database.with_name("cache.sqlite-wal").exists(), "it was closed"


def test_a_check_does_not_use_it(tmp_path: Path) -> None:
    write_truth(tmp_path / "em", UNSHARDED)
    section = SECTION.replace("https://bucket.example.org/em", f"file://{tmp_path}/em")
    (tmp_path / "config.toml").write_text(disk_text(tmp_path, section))
    code, text = run("check", "--deep", str(tmp_path / "config.toml"))
    assert code == 0, text
    assert list((tmp_path / "disk").iterdir()) == []


def test_there_is_none_by_default() -> None:
    assert make_disk_cache(CacheConfig()) is None


def test_the_configured_one_is_not_opened_before_it_has_to_be(tmp_path: Path) -> None:
    disk = make_disk_cache(CacheConfig(disk=2**26, disk_path=tmp_path / "disk"))
    assert disk is not None
    assert disk.max_bytes == 2**26
    assert list(tmp_path.iterdir()) == []


def imported_by_a_server(text: str, directory: Path, names: set[str]) -> str:
    """Return which modules of *names* a fresh process has imported to make a server."""
    (directory / "config.toml").write_text(text)
    program = (
        "import pathlib, sys\n"
        "from dvidpc.config import load_config\n"
        "from dvidpc.run.app import make_app\n"
        "make_app(load_config(pathlib.Path(sys.argv[1])), {}, 0.0)\n"
        f"print(*sorted({names} & sys.modules.keys()))\n"
    )
    command = [sys.executable, "-c", program, str(directory / "config.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_nothing_is_imported_for_it_unless_it_is_configured(tmp_path: Path) -> None:
    names = {"sqlite3", "xxhash", "dvidpc.cache.disk"}
    assert imported_by_a_server(config_text({}, SECTION), tmp_path, names) == ""
    found = imported_by_a_server(disk_text(tmp_path, SECTION), tmp_path, names)
    assert found == "dvidpc.cache.disk sqlite3 xxhash"


async def test_a_local_directory_is_not_kept_a_second_time(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    section = SECTION.replace("https://bucket.example.org/em", f"file://{tmp_path}/em")
    async with disk_server(tmp_path, section) as server:
        body = await server.get(blocks_path(server.node, "em", truth.blocks))
        assert truth.wrong_in(truth.blocks, body) == []
        disk = server.app[METRICS].disk
        assert disk is not None
        assert (disk.counts.hits, disk.counts.misses, disk.counts.bytes_written) == (0, 0, 0)


async def test_a_reload_keeps_it_and_puts_it_in_front_of_new_stores(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    write_truth(tmp_path / "bucket" / "new", UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store, new = store_section("http", bucket), store_section("http", bucket, "new")
        async with disk_server(tmp_path, store + new) as server:
            for name in ("em", "new"):
                await server.get(blocks_path(server.node, name, truth.blocks))
        bucket.asked.clear()
        async with disk_server(tmp_path, store) as server:
            (tmp_path / "config.toml").write_text(disk_text(tmp_path, store + new))
            await server.app[RELOADING].use(load_config(tmp_path / "config.toml"))
            for name in ("em", "new"):
                body = await server.get(blocks_path(server.node, name, truth.blocks))
                assert truth.wrong_in(truth.blocks, body) == []
        assert data_reads(bucket) == []
