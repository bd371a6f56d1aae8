"""Log messages: one line a record, in a file that rotates and is followed."""

import json
import logging
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.config import LoggingConfig
from dvidpc.errors import ConfigError
from dvidpc.log.set_up import FileSink, JsonFormatter, StderrSink, TextFormatter, set_up_logging

NOON = datetime(2026, 11, 22, 12, 57, 44, tzinfo=UTC).timestamp()
log = logging.getLogger("dvidpc.test")


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("dvidpc")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    yield
    for handler in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    ours.setLevel(our_level)


def record(message: object, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    made = logging.LogRecord("dvidpc.test", level, "", 0, message, args, None)
    made.created = NOON + 0.123456
    return made


def failed_record() -> logging.LogRecord:
    made = record("it failed")
    error = ValueError("first\n2026-11-22 12:57:44.123Z INFO  forged\x1b[0m")
    made.exc_info = (ValueError, error, None)
    return made


def backups(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.iterdir() if one != path)


TEXTS = [
    (record("opened %s", "em"), "2026-11-22 12:57:44.123Z INFO  opened em"),
    (record("late", level=logging.WARNING), "2026-11-22 12:57:44.123Z WARNING late"),
    (record("a\nb\r\n\x00\x1b[31m"), "2026-11-22 12:57:44.123Z INFO  a\\nb\\r\\n\\x00\\x1b[31m"),
    (record("é\u2028\udc80"), "2026-11-22 12:57:44.123Z INFO  é\\u2028\\udc80"),
    (
        record("%d blocks", "x"),
        "2026-11-22 12:57:44.123Z INFO  %d blocks (its arguments do not fit: TypeError)",
    ),
]


@pytest.mark.parametrize(("made", "line"), TEXTS)
def test_record_is_one_line_of_text(made: logging.LogRecord, line: str) -> None:
    assert TextFormatter().format(made) == line


def test_traceback_follows_on_indented_lines() -> None:
    first, *following = TextFormatter().format(failed_record()).split("\n")
    assert first == "2026-11-22 12:57:44.123Z INFO  it failed"
    assert following == ["    ValueError: first", "    2026-11-22 12:57:44.123Z INFO  forged\\x1b[0m"]


def test_record_is_one_json_object() -> None:
    line = JsonFormatter().format(record("a\n%s\udc80", "b"))
    assert line == (
        '{"time":"2026-11-22T12:57:44.123Z","level":"INFO","logger":"dvidpc.test","message":"a\\nb\\\\udc80"}'
    )


def test_traceback_is_a_field_of_the_json_object() -> None:
    line = JsonFormatter().format(failed_record())
    assert "\n" not in line
    assert json.loads(line)["traceback"].startswith("ValueError: first\n")


@given(st.text())
def test_any_message_is_one_line_in_either_format(message: str) -> None:
    assert TextFormatter().format(record("%s", message)).isprintable()
    line = JsonFormatter().format(record("%s", message))
    assert "\n" not in line
    assert json.loads(line)["message"] == message


def test_messages_go_to_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LoggingConfig())
    log.info("here")
    log.debug("too much")
    logging.getLogger("botocore").info("not ours")
    logging.getLogger("botocore").warning("still said")
    out, err = capsys.readouterr()
    assert out == ""
    assert re.sub(r"(?m)^\S+ \S+Z ", "", err) == "INFO  here\nWARNING still said\n"


def test_log_file_is_announced_on_stdout_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "dvid.log"
    set_up_logging(LoggingConfig(logfile=path))
    log.info("here")
    assert capsys.readouterr() == (f"Sending log messages to: {path}\n", "")
    assert path.read_text().endswith("INFO  here\n")


def test_further_processes_do_not_announce_the_log_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(LoggingConfig(logfile=tmp_path / "dvid.log"), announce=False)
    assert capsys.readouterr() == ("", "")


def test_second_call_replaces_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LoggingConfig(logfile=tmp_path / "dvid.log"))
    set_up_logging(LoggingConfig(format="json"))
    log.info("once")
    assert (tmp_path / "dvid.log").read_text() == ""
    assert json.loads(capsys.readouterr().err)["message"] == "once"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("file/dvid.log", "File exists"), ("file/sub/x.log", "Not a directory"), (".", "Is a directory")],
)
def test_log_file_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(ConfigError) as caught:
        set_up_logging(LoggingConfig(logfile=path))
    assert str(caught.value) == f"[logging] logfile: {path} cannot be written: {reason}; name a file that can"


def test_full_file_is_put_aside_under_lumberjacks_name(tmp_path: Path) -> None:
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


def test_file_is_never_put_aside_where_the_size_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=0, max_age_s=0, now_s=NOON)
    sink.write("a\n", NOON)
    sink.write("b\n", NOON)
    sink.close()
    assert path.read_text() == "a\nb\n"
    assert backups(path) == []


def test_only_old_files_put_aside_are_removed(tmp_path: Path) -> None:
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
def test_file_moved_by_somebody_else_is_begun_anew(tmp_path: Path, max_size: int) -> None:
    path = tmp_path / "dvid.log"
    sink = FileSink(path, max_size=max_size, max_age_s=0, now_s=NOON)
    sink.write("old\n", NOON)
    path.rename(tmp_path / "dvid.log.1")
    sink.write("new\n", NOON)
    sink.close()
    assert path.read_text() == "new\n"
    assert (tmp_path / "dvid.log.1").read_text() == "old\n"


def test_file_emptied_by_somebody_else_goes_on_from_its_start(tmp_path: Path) -> None:
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
    set_up_logging(LoggingConfig(logfile=path), announce=False)
    path.unlink()
    directory.rmdir()
    log.info("one")
    log.info("two")
    directory.mkdir()
    log.info("three")
    why, *lines = capsys.readouterr().err.splitlines()
    assert why.startswith(f"cannot write {path}, its messages follow here: ")
    assert [line.split()[-1] for line in lines] == ["one", "two"]
    assert path.read_text().endswith("INFO  three\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_disk_does_not_disturb_who_logs(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LoggingConfig(logfile=Path("/dev/full")), announce=False)
    log.info("here")
    assert "No space left on device" in capsys.readouterr().err


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_message_that_cannot_be_formatted_does_not_disturb_who_logs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sink = StderrSink()
    sink.setFormatter(TextFormatter())
    sink.handle(record("an argument: %s", Unspeakable()))
    sink.handle(record(Unspeakable()))
    assert capsys.readouterr().err == (
        "2026-11-22 12:57:44.123Z INFO  an argument: %s (its arguments do not fit: RuntimeError)\n"
    )


def test_closed_stderr_does_not_disturb_who_logs() -> None:
    code = (
        "import logging, sys\n"
        "from dvidpc.config import LoggingConfig\n"
        "from dvidpc.log.set_up import set_up_logging\n"
        "set_up_logging(LoggingConfig()); sys.stderr.close(); logging.getLogger('dvidpc').error('lost')\n"
        "sys.stderr = None; logging.getLogger('dvidpc').error('lost'); print('served')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "served\n"


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
