"""Where the messages of a process go, and which are logged."""

import json
import logging
import re
from pathlib import Path

import pytest

from dvidpc.errors import ConfigError
from dvidpc.log.set_up import set_up_logging
from dvidpc.log.settings import LogSettings

log = logging.getLogger("dvidpc.test")


def test_messages_go_to_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogSettings())
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
    set_up_logging(LogSettings(logfile=path))
    log.info("here")
    assert capsys.readouterr() == (f"Sending log messages to: {path}\n", "")
    assert path.read_text().endswith("INFO  here\n")


def test_further_processes_do_not_announce_the_log_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(LogSettings(logfile=tmp_path / "dvid.log"), announce=False)
    assert capsys.readouterr() == ("", "")


def test_second_call_replaces_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogSettings(logfile=tmp_path / "dvid.log"))
    set_up_logging(LogSettings(format="json"))
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
        set_up_logging(LogSettings(logfile=path))
    assert str(caught.value) == (
        f"[logging] logfile: cannot write {path}: {reason}; name a file that can be written"
    )
