"""Sends log messages to stderr or to a file that rotates, one line a record.

Times are in UTC: replicas in several zones compare, an hour in autumn is not written twice, and the names
of rotated files, which DVID's lumberjack gives in UTC, sort and match with them.
"""

import contextlib
import errno
import fcntl
import functools
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from dvidpc.config import LoggingConfig, one_line
from dvidpc.errors import ConfigError
from dvidpc.log.requests import RequestLine, RequestLines
from dvidpc.log.storms import StormFilter

_MIB = 1024**2
_DAY_S = 24 * 3600
_FILE_MODE = 0o640
_DIRECTORY_MODE = 0o755
_BACKUP_TIME = "%Y-%m-%dT%H-%M-%S.%f"
"""The time in the name of a rotated file, whose last three of six digits are cut."""


def set_up_logging(config: LoggingConfig, *, announce: bool = True) -> None:
    """Send the log messages of this process where *config* says; a second call replaces the first.

    Our messages are let through from INFO, those of libraries from WARNING.

    Args:
        config: The section `[logging]`.
        announce: Whether to say on stdout, as DVID does, which file it is; only one of several
            processes should.

    Raises:
        ConfigError: The log file cannot be written.
    """
    handler: _Sink = StderrSink() if config.logfile is None else _open_file(config.logfile, config)
    handler.addFilter(StormFilter())
    handler.setFormatter(JsonFormatter() if config.format == "json" else TextFormatter())
    root = logging.getLogger()
    for previous in [one for one in root.handlers if isinstance(one, _Sink)]:
        root.removeHandler(previous)
        previous.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("dvidpc").setLevel(logging.INFO)
    if announce and config.logfile is not None:
        with contextlib.suppress(OSError):
            sys.stdout.write(f"Sending log messages to: {one_line(str(config.logfile))}\n")
            sys.stdout.flush()


def _open_file(path: Path, config: LoggingConfig) -> "FileSink":
    max_size, max_age_s = config.max_log_size_mb * _MIB, config.max_log_age_days * _DAY_S
    try:
        return FileSink(path, max_size=max_size, max_age_s=max_age_s, now_s=time.time())
    except OSError as e:
        message = f"[logging] logfile: {path} cannot be written: {e.strerror}; name a file that can"
        raise ConfigError(one_line(message)) from None


class TextFormatter(logging.Formatter):
    """`2026-11-22 12:58:11.123Z INFO  message`; a traceback follows on indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and one more for each line of its traceback; requests, one line each."""
        if isinstance(record.msg, RequestLines):
            return "\n".join(f"{_utc(line.time)} INFO  {line}" for line in record.msg)
        head = f"{_utc(record.created)} {record.levelname:<5} {one_line(_message_of(record))}"
        following = _traceback_of(self, record).splitlines()
        return "\n".join([head, *(f"    {one_line(line)}" for line in following)])


class JsonFormatter(logging.Formatter):
    """One JSON object: `time`, `level`, `logger`, `message`, and `traceback` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; requests, one line each, with members of their own."""
        if isinstance(record.msg, RequestLines):
            return "\n".join(_request_json(line, record) for line in record.msg)
        fields = {
            "time": _utc(record.created).replace(" ", "T"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message_of(record),
        }
        traceback = _traceback_of(self, record)
        if traceback:
            fields["traceback"] = traceback
        return msgspec.json.encode({key: _utf8(text) for key, text in fields.items()}).decode()


def _request_json(line: RequestLine, record: logging.LogRecord) -> str:
    fields = {
        name: _utf8(value) if isinstance(value, str) else value for name, value in line.fields().items()
    }
    time_text = _utc(line.time).replace(" ", "T")
    head = {"time": time_text, "level": record.levelname, "logger": record.name, "message": "request"}
    return msgspec.json.encode(head | fields).decode()


def _utc(moment_s: float) -> str:
    second = int(moment_s)
    return f"{_second(second)}.{int((moment_s - second) * 1000):03}Z"


@functools.lru_cache(maxsize=8)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _utf8(text: str) -> str:
    """*text* with halves of surrogate pairs, which file names can hold and UTF-8 cannot, as escapes."""
    return text.encode(errors="backslashreplace").decode()


def _message_of(record: logging.LogRecord) -> str:
    """The message; if its arguments do not fit, both as they are."""
    try:
        return record.getMessage()
    except Exception as e:  # noqa: BLE001 - whatever an argument's __str__ raises must not end a request
        return f"{record.msg!s} (its arguments do not fit: {type(e).__name__})"


def _traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


class _Sink(logging.Handler):
    """Writes records; one that cannot be written never disturbs who logged it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self.write(f"{self.format(record)}\n", record.created)
        except Exception as e:  # noqa: BLE001 - the rim of logging: serving goes on without a log
            with contextlib.suppress(Exception):
                self.write_elsewhere(record, e)

    def write(self, text: str, now_s: float) -> None:
        """Write *text*; *now_s* is the time of its record, in seconds since 1970."""
        raise NotImplementedError

    def write_elsewhere(self, record: logging.LogRecord, reason: Exception) -> None:
        """Save a record that could not be written, if there is a place."""


class StderrSink(_Sink):
    """Writes to stderr; what stderr does not take is lost."""

    def write(self, text: str, now_s: float) -> None:  # noqa: ARG002 - stderr does not rotate
        """Write *text* in one go."""
        _to_stderr(text)


def _to_stderr(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


class FileSink(_Sink):
    """Appends to a file, and puts it aside when it gets too large.

    Several processes may write one file: whoever finds it too large renames it, under a lock, and the others
    see that the name has come to mean another file. An external logrotate is followed the same way.
    Where the file fails, records go to stderr.
    """

    def __init__(self, path: Path, *, max_size: int, max_age_s: float, now_s: float) -> None:
        """Open the file, and make it and its directory if need be.

        Args:
            path: The file.
            max_size: Bytes at which it is put aside; 0 for never.
            max_age_s: Age in seconds at which files put aside are removed; 0 for never.
            now_s: The time, in seconds since 1970.

        Raises:
            OSError: It cannot be opened.
        """
        super().__init__()
        self._path = path
        self._max_size = max_size
        self._max_age_s = max_age_s
        self._failing = False
        path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        self._file = _open_to_append(path)
        self._remove_aged(now_s)

    def write(self, text: str, now_s: float) -> None:
        """Append *text* to the file that has the name now, after rotating it if it is full."""
        line = text.encode(errors="backslashreplace")
        if self._is_full(self._follow_name(), line):
            self._rotate(line, now_s)
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._failing = False

    def write_elsewhere(self, record: logging.LogRecord, reason: Exception) -> None:
        """Write the record to stderr; the first of several is preceded by a word on why."""
        if not self._failing:
            self._failing = True
            _to_stderr(one_line(f"cannot write {self._path}, its messages follow here: {reason}") + "\n")
        _to_stderr(f"{self.format(record)}\n")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        super().close()

    def _is_full(self, file: os.stat_result, line: bytes) -> bool:
        """Whether *line* would make the file too large; a line too large by itself gets a file of its own."""
        return 0 < self._max_size < file.st_size + len(line) and file.st_size > 0

    def _follow_name(self) -> os.stat_result:
        """Open the file that has the name, if it is another than the open one; its size and identity."""
        with contextlib.suppress(FileNotFoundError):
            named = self._path.stat()
            if os.path.samestat(named, os.fstat(self._file)):
                return named
        following = _open_to_append(self._path)
        os.close(self._file)
        self._file = following
        return os.fstat(following)

    def _rotate(self, line: bytes, now_s: float) -> None:
        """Put the file aside and begin a new one, unless another process does or did."""
        with self._path.open("rb") as full:
            fcntl.flock(full, fcntl.LOCK_EX)
            locked = os.fstat(full.fileno())
            if os.path.samestat(locked, self._path.stat()) and self._is_full(locked, line):
                self._path.rename(_backup_path(self._path, now_s))
                self._remove_aged(now_s)
        self._follow_name()

    def _remove_aged(self, now_s: float) -> None:
        if self._max_age_s <= 0:
            return
        with contextlib.suppress(OSError):
            for backup, made_s in _backups(self._path):
                if now_s - made_s > self._max_age_s:
                    backup.unlink(missing_ok=True)


def _open_to_append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)


def _backup_path(path: Path, now_s: float) -> Path:
    """A free name for a file put aside at *now_s*, as lumberjack's: `name-2026-11-22T12-57-44.000.log`."""
    while True:
        moment = datetime.fromtimestamp(now_s, UTC).strftime(_BACKUP_TIME)[:-3]
        backup = path.with_name(f"{path.stem}-{moment}{path.suffix}")
        if not backup.exists():
            return backup
        now_s += 0.001


def _backups(path: Path) -> Iterator[tuple[Path, float]]:
    """The files put aside for *path*, and when, in seconds since 1970."""
    for found in list(path.parent.iterdir()):
        name = found.name
        if name.startswith(f"{path.stem}-") and name.endswith(path.suffix):
            moment = name[len(path.stem) + 1 : len(name) - len(path.suffix)]
            with contextlib.suppress(ValueError):
                yield found, datetime.strptime(moment, _BACKUP_TIME).replace(tzinfo=UTC).timestamp()
