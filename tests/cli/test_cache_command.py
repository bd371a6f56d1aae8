"""`dvidpc cache`: what it prints and how it ends, without a cache, with one, and while a server runs."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands import run
from tests.disk.sites import data_reads, disk_server, disk_text
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import UNSHARDED, store_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import config_text

ACTIONS = ("stats", "verify", "clear")
STORE = '[store.em]\nengine = "ngprecomputed"\nref = "s3://bucket/em"\ninstance = "em"\n'


async def ask(action: str, tmp_path: Path) -> tuple[int, str]:
    return await asyncio.to_thread(run, "cache", action, str(tmp_path / "config.toml"))


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_configuration_without_a_disk_cache_is_one_line_and_code_2(
    action: str, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(config_text({}, STORE))
    code, text = await ask(action, tmp_path)
    assert code == 2
    assert text == (
        f"dvidpc: {tmp_path}/config.toml: there is no disk cache; write below [cache] for example "
        'disk = "200GiB" and disk_path = "/var/cache/dvidpc"\n'
    )


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_cache_that_no_server_has_made_yet_is_no_failure(action: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(disk_text(tmp_path, STORE))
    expected = f"{tmp_path}/disk: there is no disk cache yet; a server makes it\n"
    assert await ask(action, tmp_path) == (0, expected)
    assert not (tmp_path / "disk/dvidpc-cache").exists()


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_directory_that_cannot_be_looked_at_is_one_line_and_code_1(
    action: str, tmp_path: Path
) -> None:
    name = "a" * 300  # longer than a file system allows
    text = disk_text(tmp_path, STORE).replace(f'"{tmp_path}/disk"', f'"{tmp_path}/{name}"')
    (tmp_path / "config.toml").write_text(text)
    assert await ask(action, tmp_path) == (
        1,
        f"dvidpc: {tmp_path}/{name} cannot be used: File name too long; run this as the user of the server\n",
    )


async def test_a_cache_is_shown_verified_and_cleared_while_a_server_uses_it(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        store = store_section("http", bucket)
        async with disk_server(tmp_path, store) as server:
            await server.get(blocks_path(server.node, "em", truth.blocks))
        async with disk_server(tmp_path, store, "memory = 0\nindex_memory = 0") as server:
            code, text = await ask("stats", tmp_path)
            head, columns, row = text.splitlines()
            chunks = len(list((tmp_path / "bucket/em/s0").iterdir()))
            assert (code, head.partition(", ")[0]) == (0, f"{tmp_path}/disk: {chunks + 1} entries")
            assert " of 64 MiB (" in head
            assert columns.split("  ")[0] == "STORE"
            time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
            assert re.fullmatch(rf"{bucket.url} +{chunks + 1} +\d\.\d MiB +{time} +{time}", row)

            compared = f"{tmp_path}/disk: {chunks + 1} entries were compared"
            assert await ask("verify", tmp_path) == (0, f"{compared}, 0 of them are damaged\n")
            damage(tmp_path / "disk")
            code, text = await ask("verify", tmp_path)
            assert code == 1
            assert re.fullmatch(
                rf"damaged, and removed: .*\n{re.escape(compared)}, 1 of them are damaged\n", text
            )
            bucket.asked.clear()
            body = await server.get(blocks_path(server.node, "em", truth.blocks))
            assert truth.wrong_in(truth.blocks, body) == []
            assert len(data_reads(bucket)) == 1

            code, text = await ask("clear", tmp_path)
            assert code == 0
            assert re.fullmatch(rf"{tmp_path}/disk: \d+ entries were removed\n", text)
            while len(data_reads(bucket)) < 1 + chunks:  # the server notices within 10 s
                body = await server.get(blocks_path(server.node, "em", truth.blocks))
                assert truth.wrong_in(truth.blocks, body) == []
        code, text = await ask("stats", tmp_path)
        kept = re.match(rf"{tmp_path}/disk: (\d+) entries, ", text)
        assert kept is not None
        assert int(kept[1]) <= chunks + 1


def damage(disk: Path) -> None:
    """Change the bytes of one entry."""
    with closing(sqlite3.connect(disk / "dvidpc-cache/cache.sqlite", isolation_level=None)) as connection:
        changed = (
            "UPDATE contents SET data = zeroblob(length(data)) WHERE id = (SELECT max(id) FROM contents)"
        )
        assert connection.execute(changed).rowcount == 1
