"""Databases that cannot be used are moved aside, and serving goes on with an empty one."""

import logging
import multiprocessing
import random
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from dvidpc.cache.disk import database
from dvidpc.cache.disk.database import (
    PAGE_SIZE,
    Trouble,
    UnreadableError,
    open_database,
    trouble_of,
    wal_limit,
)
from dvidpc.cache.disk.disk_place import Place
from dvidpc.cache.disk.entries import count

BUDGET = 64 * 2**20


def fill(place: Place, rows: int = 50) -> None:
    """Make a database with contents."""
    with closing(open_database(place, BUDGET).connect()) as connection:
        for number in range(rows):
            connection.execute("INSERT INTO contents VALUES (?, ?)", (number, random.randbytes(30_000)))
        connection.execute("UPDATE totals SET entries = ?", (rows,))


def entries_in(place: Place, budget: int = BUDGET) -> int:
    with closing(open_database(place, budget).connect()) as connection:
        return count(connection)


def aside(place: Place) -> list[str]:
    return sorted(path.name for path in place.root.iterdir() if path.name.count("."))


def test_a_database_is_opened_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "disk")
    fill(place)
    assert entries_in(place) == 50
    with closing(open_database(place, BUDGET).connect()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_SIZE,)
        assert connection.execute("SELECT budget FROM totals").fetchone() == (BUDGET,)
        connection.execute("UPDATE totals SET entries = 1")
        for file in place.directory.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.parametrize("damage", ["noise", "header", "truncated", "text", "format", "tables"])
def test_what_cannot_be_used_is_moved_aside(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path)
    fill(place)
    whole = place.file.read_bytes()
    match damage:
        case "noise":
            place.file.write_bytes(random.randbytes(len(whole)))
        case "header":
            place.file.write_bytes(whole[:50] + bytes(200) + whole[250:])
        case "truncated":
            place.file.write_bytes(whole[: 2 * PAGE_SIZE])
        case "text":
            place.file.write_text("This is no database. " * 1000)
        case "format":
            with closing(sqlite3.connect(place.file)) as connection:
                connection.execute(f"PRAGMA user_version = {database.FORMAT + 1}")
        case "tables":
            with closing(sqlite3.connect(place.file)) as connection:
                connection.execute("DROP TABLE totals")
    caplog.clear()
    assert entries_in(place) == 0
    assert aside(place) == ["dvidpc-cache.lock", "dvidpc-cache.set-aside-1"]
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"disk cache starts empty: {place.file} ")
    assert line.endswith(f"it is kept as {tmp_path}/dvidpc-cache.set-aside-1 while there is room")


def test_another_programs_database_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(tmp_path)
    fill(place)
    place.file.unlink()
    with closing(sqlite3.connect(place.file)) as connection:
        connection.execute("CREATE TABLE thesis (text)")
    assert entries_in(place) == 0
    assert aside(place) == ["dvidpc-cache.foreign-1", "dvidpc-cache.lock"]
    assert "is a database of another program; it is kept as" in caplog.text


def test_a_smaller_budget_starts_afresh(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(tmp_path)
    fill(place, 1000)
    assert BUDGET // 2 - wal_limit(BUDGET // 2) < place.file.stat().st_size < BUDGET // 2
    assert entries_in(place, 2 * BUDGET) == 1000
    assert entries_in(place) == 1000
    with caplog.at_level(logging.WARNING):
        assert entries_in(place, BUDGET // 2) == 0
    assert "is larger than the budget allows now" in caplog.text
    assert place.file.stat().st_size < 2**20


def test_the_database_is_bounded_beside_its_log_and_what_was_set_aside(tmp_path: Path) -> None:
    place = Place(tmp_path)
    opened = open_database(place, BUDGET)
    with closing(opened.connect()) as connection:
        assert connection.execute("PRAGMA max_page_count").fetchone() == (
            (BUDGET - wal_limit(BUDGET)) // PAGE_SIZE,
        )
        aside = tmp_path / "dvidpc-cache.set-aside-7"
        aside.mkdir()
        (aside / "cache.sqlite").write_bytes(bytes(20 * PAGE_SIZE))
        assert opened.limit_pages(connection) == (BUDGET - wal_limit(BUDGET)) // PAGE_SIZE - 20
        with pytest.raises(sqlite3.OperationalError) as full:
            connection.executemany(
                "INSERT INTO contents (data) VALUES (zeroblob(?))", [(10**6,)] * (BUDGET // 10**6)
            )
        assert trouble_of(full.value) is Trouble.FULL


def test_moved_and_deleted_databases_are_noticed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    fill(place)
    first = open_database(place, BUDGET)
    assert first.is_in_place()
    place.move_aside()
    assert not first.is_in_place()
    second = open_database(place, BUDGET)
    assert not first.is_in_place()
    place.delete()
    assert not second.is_in_place()


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_CORRUPT_INDEX, Trouble.DAMAGED),
        (sqlite3.SQLITE_NOTADB, Trouble.DAMAGED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.BUSY),
        (sqlite3.SQLITE_FULL, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Trouble.UNWRITABLE),
        (sqlite3.SQLITE_READONLY_DIRECTORY, Trouble.UNWRITABLE),
        (sqlite3.SQLITE_CANTOPEN, Trouble.UNWRITABLE),
    ],
)
def test_errors_are_told_apart_by_their_code(code: int, trouble: Trouble) -> None:
    error = sqlite3.OperationalError("whatever")
    error.sqlite_errorcode = code
    assert trouble_of(error) is trouble


def test_a_misuse_of_ours_is_not_taken_for_damage(tmp_path: Path) -> None:
    connection = open_database(Place(tmp_path), BUDGET).connect()
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError) as misuse:
        connection.execute("SELECT 1")
    assert trouble_of(misuse.value) is Trouble.UNWRITABLE


def start_in(root: Path, numbers: "multiprocessing.Queue[int]") -> None:
    numbers.put(entries_in(Place(root)))


@pytest.mark.parametrize("state", ["none", "damaged"])
def test_processes_that_start_together_agree(state: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    if state == "damaged":
        fill(place)
        place.file.write_bytes(bytes(100) + random.randbytes(100_000))
    context = multiprocessing.get_context("fork")
    numbers: multiprocessing.Queue[int] = context.Queue()
    starting = [context.Process(target=start_in, args=(tmp_path, numbers)) for _ in range(6)]
    for one in starting:
        one.start()
    assert [numbers.get(timeout=30) for _ in starting] == [0] * 6
    for one in starting:
        one.join()
    assert len(aside(place)) == (2 if state == "damaged" else 1)


def test_an_unreadable_database_is_a_format_error(tmp_path: Path) -> None:
    place = Place(tmp_path)
    fill(place)
    with closing(sqlite3.connect(place.file)) as connection:
        connection.execute("PRAGMA user_version = 99")
        with pytest.raises(UnreadableError, match=f"{place.file} has format 99, not {database.FORMAT}"):
            database.check_format(connection, place)
