"""Format log records as lines of text or as JSON objects.

Times are in UTC, so that replicas in several time zones can be compared and no hour repeats in autumn. The
names of rotated files are in UTC too, as DVID's lumberjack writes them.
"""

import functools
import logging
from datetime import UTC, datetime

import msgspec

from dvidpc.log.escaping import encodable, one_line
from dvidpc.log.requests import RequestLine, RequestLines


class TextFormatter(logging.Formatter):
    """`2026-11-22 12:58:11.123Z INFO  message`; a traceback follows on indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, plus one per line of its traceback; requests get one line each."""
        if isinstance(record.msg, RequestLines):
            return "\n".join(f"{_utc(line.time)} INFO  {line}" for line in record.msg)
        head = f"{_utc(record.created)} {record.levelname:<5} {one_line(_message_of(record))}"
        following = _traceback_of(self, record).splitlines()
        return "\n".join([head, *(f"    {one_line(line)}" for line in following)])


class JsonFormatter(logging.Formatter):
    """One JSON object: `time`, `level`, `logger`, `message`, and `traceback` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; requests get one line each, with their own fields added."""
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
        return msgspec.json.encode({key: encodable(text) for key, text in fields.items()}).decode()


def _request_json(line: RequestLine, record: logging.LogRecord) -> str:
    fields = {
        name: encodable(value) if isinstance(value, str) else value for name, value in line.fields().items()
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


def _message_of(record: logging.LogRecord) -> str:
    """Return the formatted message, or the unformatted one and the reason if formatting fails."""
    try:
        return record.getMessage()
    except Exception as e:  # noqa: BLE001 - whatever an argument's __str__ raises must not end a request
        return f"{record.msg!s} (its arguments cannot be formatted: {type(e).__name__})"


def _traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
