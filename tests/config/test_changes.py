"""What a reload reopens, and what it has to leave until a restart."""

from pathlib import Path

import pytest

from dvidpc.config import changed_stores, needs_restart
from tests.config.files import STORE, load

OTHER = STORE.replace("em", "other")


def test_nothing_changes_between_two_readings_of_one_file(tmp_path: Path) -> None:
    old, new = load(tmp_path, STORE), load(tmp_path, STORE)
    assert changed_stores(old, new) == frozenset()
    assert needs_restart(old, new) == []


@pytest.mark.parametrize("key", ['root = "s3://bucket/em"', 'region = "x"', "block_size = 32"])
def test_only_the_changed_store_is_reopened(tmp_path: Path, key: str) -> None:
    old, new = load(tmp_path, OTHER + STORE), load(tmp_path, f"{OTHER}{STORE}{key}\n")
    assert changed_stores(old, new) == {"em"}


def test_new_store_is_opened(tmp_path: Path) -> None:
    assert changed_stores(load(tmp_path, STORE), load(tmp_path, STORE + OTHER)) == {"other"}


def test_place_that_is_written_in_another_way_is_not_reopened(tmp_path: Path) -> None:
    new = load(tmp_path, STORE.replace("s3://bucket/em", "s3://bucket/em/"))
    assert changed_stores(load(tmp_path, STORE), new) == frozenset()


def test_limits_for_buckets_reopen_every_store(tmp_path: Path) -> None:
    new = load(tmp_path, f"{STORE}{OTHER}[limits]\nattempts = 7\n")
    assert changed_stores(load(tmp_path, STORE + OTHER), new) == {"em", "other"}
    assert needs_restart(load(tmp_path, STORE + OTHER), new) == []


RESTARTS = [
    ('[server]\nhttpAddress = ":80"\n', "[server] httpAddress"),
    ("[server]\nworkers = 2\n", "[server] workers"),
    ('[repo]\nalias = "x"\n', "[repo] alias"),
    ('[cache]\nmemory = "1GiB"\n', "[cache] memory"),
    ('[metrics]\naddress = ":9090"\n', "[metrics] address"),
    ('[auth]\nenforce = "token"\n', "[auth] enforce"),
    ("[limits]\nkeepalive_timeout = 1\n", "[limits] keepalive_timeout"),
    ("[limits]\nnegative_ttl = 1\n", "[limits] negative_ttl"),
]


@pytest.mark.parametrize(("text", "name"), RESTARTS)
def test_key_that_takes_a_restart_is_named_as_in_the_file(tmp_path: Path, text: str, name: str) -> None:
    assert needs_restart(load(tmp_path, STORE), load(tmp_path, text + STORE)) == [name]


def test_size_and_place_of_the_disk_cache_take_a_restart(tmp_path: Path) -> None:
    text = '[cache]\ndisk = "1GiB"\ndisk_path = "/cache"\n'
    expected = ["[cache] disk", "[cache] disk_path"]
    assert needs_restart(load(tmp_path, STORE), load(tmp_path, text + STORE)) == expected
