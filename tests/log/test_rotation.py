"""A log file that several processes append to, and that rotates."""

import fcntl
import logging
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from dvidpc.log.rotation import FileSink
from dvidpc.log.set_up import set_up_logging
from dvidpc.log.settings import LogSettings
from tests.log.records import NOON

log = logging.getLogger("dvidpc.test")


def backups(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.iterdir() if one != path)


def test_full_file_is_rotated_under_lumberjacks_name(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=10, max_age_s=0, now_s=NOON)
    for text in ("12345\n", "1234\n", "123456789012\n", "x\n", "y\n"):
        sink.write(text, NOON)
    sink.close()
    assert path.read_text() == "x\ny\n"
    assert [(one.name, one.read_text()) for one in backups(path)] == [
        ("dvid-2026-11-22T12-57-44.000.log", "12345\n"),
        ("dvid-2026-11-22T12-57-44.001.log", "1234\n"),
        ("dvid-2026-11-22T12-57-44.002.log", "123456789012\n"),
    ]


def test_file_never_rotates_if_the_size_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=0, max_age_s=0, now_s=NOON)
    sink.write("a\n", NOON)
    sink.write("b\n", NOON)
    sink.close()
    assert path.read_text() == "a\nb\n"
    assert backups(path) == []


def test_only_old_backups_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    day_s = timedelta(days=1).total_seconds()
    kept = [
        "dvid-2026-11-21T13-00-00.000.log",
        "dvid-notes.log",
        "dvid-2020-01-01T00-00-00.000.txt",
        "other-2020-01-01T00-00-00.000.log",
    ]
    for name in [*kept, "dvid-2026-11-21T12-00-00.000.log"]:
        (tmp_path / name).touch()
    sink = FileSink(path, max_size=4, max_age_s=day_s, now_s=NOON)
    assert [one.name for one in backups(path)] == sorted(kept)
    sink.write("123\n", NOON)
    sink.write("123\n", NOON + 3 * day_s)
    sink.close()
    assert [one.name for one in backups(path)] == sorted([*kept[1:], "dvid-2026-11-25T12-57-44.000.log"])


@pytest.mark.parametrize("max_size", [0, 100])
def test_file_moved_by_another_program_is_created_again(tmp_path: Path, max_size: int) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=max_size, max_age_s=0, now_s=NOON)
    sink.write("old\n", NOON)
    path.rename(tmp_path / "dvid.log.1")
    sink.write("new\n", NOON)
    sink.close()
    assert path.read_text() == "new\n"
    assert (tmp_path / "dvid.log.1").read_text() == "old\n"


def waits_for_lock(path: Path) -> bool:
    inode = f":{path.stat().st_ino} "
    return any("-> FLOCK" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="a file of Linux")
def test_file_rotated_by_another_process_in_the_meantime_is_created_again(tmp_path: Path) -> None:
    path, backup = tmp_path / "dvid.log", tmp_path / "backup"
    sink = FileSink(path, max_size=4, max_age_s=0, now_s=NOON)
    sink.write("old\n", NOON)
    with path.open("rb") as other, ThreadPoolExecutor(1) as thread:
        fcntl.flock(other, fcntl.LOCK_EX)
        writing = thread.submit(sink.write, "new\n", NOON)
        while not waits_for_lock(path):
            time.sleep(0.001)
        path.rename(backup)
        fcntl.flock(other, fcntl.LOCK_UN)
        writing.result()
    sink.close()
    assert (path.read_text(), backup.read_text()) == ("new\n", "old\n")


def test_file_emptied_by_another_program_continues_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=0, max_age_s=0, now_s=NOON)
    sink.write("old\n", NOON)
    path.write_text("")
    sink.write("new\n", NOON)
    sink.close()
    assert path.read_bytes() == b"new\n"


def test_messages_follow_on_stderr_while_the_file_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "logs"
    path = directory / "dvid.log"
    set_up_logging(LogSettings(logfile=path), announce=False)
    path.unlink()
    directory.rmdir()
    log.info("one")
    log.info("two")
    directory.mkdir()
    log.info("three")
    why, *lines = capsys.readouterr().err.splitlines()
    assert why.startswith(f"cannot write log file: {path}: ")
    assert why.endswith("; its messages follow here")
    assert [line.split()[-1] for line in lines] == ["one", "two"]
    assert path.read_text().endswith("INFO  three\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_disk_does_not_disturb_the_code_that_logs(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogSettings(logfile=Path("/dev/full")), announce=False)
    log.info("here")
    assert "No space left on device" in capsys.readouterr().err


def write_many(path: Path, name: str) -> None:
    sink = FileSink(path, max_size=2000, max_age_s=0, now_s=NOON)
    for number in range(200):
        sink.write(f"{name} {number:08}\n", NOON)
    sink.close()


def test_processes_share_a_file_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(path, name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    lines = [line for one in tmp_path.iterdir() for line in one.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number:08}" for name in "abc" for number in range(200))
    assert all(one.stat().st_size <= 2100 for one in tmp_path.iterdir())
    assert len(backups(path)) <= 5
