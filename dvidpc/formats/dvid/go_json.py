"""Values written as Go writes them: JSON, quoted strings, times and durations, as DVID's clients read them.

The JSON is that of `encoding/json`: compact, `<>&` escaped, members of a struct in their order.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np

JsonValue: TypeAlias = "Mapping[str, JsonValue] | Sequence[JsonValue] | str | float | bool | None"
"""What can be written; a mapping's order is kept, as Go keeps that of a struct's fields."""

V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST_POSITIONAL = 1e-6
_SMALLEST_EXPONENTIAL = 1e21
_FLOAT32_LIMIT = 2.0**128 - 2.0**103
"""The least number that rounds to infinity."""

_ENCODER = msgspec.json.Encoder()
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {char.encode(): b"\\u%04x" % ord(char) for char in "<>&\u2028\u2029"}
_QUOTED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_QUOTED |= {"\\": "\\\\", '"': '\\"'}


def encode(value: JsonValue) -> bytes:
    """The JSON text of *value*, without a newline at its end.

    Every float is written as Go's shortest float32, which is what all floats of DVID's documents are.

    Raises:
        ValueError: A float is not a number, or too large for a float32.
    """
    text = _ENCODER.encode(_encodable(value))
    for char, escape in _ESCAPES.items():  # JSON has none of them outside of strings
        text = text.replace(char, escape)
    return text


def sorted_map(entries: Mapping[str, V]) -> dict[str, V]:
    """*entries* in the order in which Go writes a map: by the bytes of their keys."""
    return dict(sorted(entries.items()))  # code points sort as their UTF-8 does


def quote(text: str) -> str:
    r"""*text* as Go's `%q` writes it: in double quotes, with `\n`, `\x00` and `\u00ad` escaped."""
    return '"' + "".join(_QUOTED.get(char) or _quote_char(char) for char in text) + '"'


def format_time(moment: datetime | float) -> str:
    """RFC3339Nano in UTC: a fraction only where there is one, without trailing zeros.

    Args:
        moment: Seconds since the epoch, or a datetime that knows its time zone. Microseconds are kept.
    """
    time = _as_datetime(moment)
    return f"{time:%Y-%m-%dT%H:%M:%S}{_fraction(time.microsecond)}Z"


def format_go_time(moment: datetime | float) -> str:
    """What Go prints for a time in UTC: `2026-11-22 13:19:45.6 +0000 UTC`."""
    time = _as_datetime(moment)
    return f"{time:%Y-%m-%d %H:%M:%S}{_fraction(time.microsecond)} +0000 UTC"


def format_duration(seconds: float) -> str:
    """What Go prints for a duration of a microsecond or more: `1h2m3.5s`, `27.478s`, `500ms`."""
    microseconds = round(seconds * 1_000_000)
    if 0 < microseconds < 1_000:
        return f"{microseconds}µs"
    if 0 < microseconds < 1_000_000:
        return f"{microseconds / 1_000:.3f}".rstrip("0").rstrip(".") + "ms"
    minutes, rest = divmod(microseconds, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 1_000_000}{_fraction(rest % 1_000_000)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _encodable(value: JsonValue) -> object:
    """*value* for msgspec: floats as the text they shall be, text without the halves of characters."""
    if isinstance(value, str):
        return _encodable_text(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return msgspec.Raw(_float32(value).encode())
    if isinstance(value, Mapping):
        return {_encodable_text(key): _encodable(member) for key, member in value.items()}
    return [_encodable(element) for element in value]


def _encodable_text(text: str) -> str:
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _float32(value: float) -> str:
    """Shortest digits that name this float32; an exponent below 1e-6 and from 1e21 on, as ES6 has it."""
    if not abs(value) < _FLOAT32_LIMIT:
        raise ValueError(f"{value} is not a float32")
    single = np.float32(value)
    if single != 0 and not _SMALLEST_POSITIONAL <= abs(single) < _SMALLEST_EXPONENTIAL:
        digits, exponent = np.format_float_scientific(single, trim="-").split("e")
        return f"{digits}e{exponent[0]}{exponent[1:].lstrip('0')}"
    return np.format_float_positional(single, trim="-")


def _quote_char(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _as_datetime(moment: datetime | float) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return _EPOCH + timedelta(seconds=moment)


def _fraction(microsecond: int) -> str:
    return f".{microsecond:06}".rstrip("0") if microsecond else ""
