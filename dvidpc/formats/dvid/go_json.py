"""Formats values as Go does, for DVID's clients: JSON, quoted strings, times and durations.

The JSON is that of Go's `encoding/json`: compact, `<>&` escaped, struct members in declaration order.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np

JsonValue: TypeAlias = "Mapping[str, JsonValue] | Sequence[JsonValue] | str | float | bool | None"
"""An encodable value; mappings keep their order, as Go structs do."""

V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST_POSITIONAL = 1e-6
_SMALLEST_EXPONENTIAL = 1e21
_FLOAT32_LIMIT = 2.0**128 - 2.0**103
"""The smallest number that rounds to infinity."""

_ENCODER = msgspec.json.Encoder()
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {char.encode(): b"\\u%04x" % ord(char) for char in "<>&\u2028\u2029"}
_QUOTED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_QUOTED |= {"\\": "\\\\", '"': '\\"'}


def encode(value: JsonValue) -> bytes:
    """Return *value* as JSON, without a trailing newline.

    Floats are written as Go's shortest float32, because all floats in DVID's documents are float32.

    Raises:
        ValueError: A float is NaN or too large for a float32.
    """
    text = _ENCODER.encode(_encodable(value))
    for char, escape in _ESCAPES.items():  # in JSON these occur only in strings
        text = text.replace(char, escape)
    return text


def encode_texts(texts: Sequence[str]) -> list[bytes]:
    """Return each of *texts* as `encode` does; faster for many."""
    lines = _ENCODER.encode_lines([_encodable_text(text) for text in texts])
    for char, escape in _ESCAPES.items():
        lines = lines.replace(char, escape)
    return lines.split(b"\n")[:-1]


def sorted_map(entries: Mapping[str, V]) -> dict[str, V]:
    """Return *entries* in the order in which Go writes a map: sorted by the bytes of the keys."""
    return dict(sorted(entries.items()))  # code points sort as their UTF-8 does


def quote(text: str) -> str:
    r"""Return *text* as Go's `%q` formats it: in double quotes, with `\n`, `\x00` and `\u00ad` escaped."""
    return '"' + "".join(_QUOTED.get(char) or _quote_char(char) for char in text) + '"'


def format_time(moment: datetime | float) -> str:
    """Return a time as RFC3339Nano in UTC: fractions of a second only if not zero, without trailing zeros.

    Args:
        moment: Seconds since the epoch, or an aware datetime; precise to the microsecond.
    """
    time = _as_datetime(moment)
    return f"{time:%Y-%m-%dT%H:%M:%S}{_fraction(time.microsecond)}Z"


def format_go_time(moment: datetime | float) -> str:
    """Return a time as Go prints it, in UTC: `2026-11-22 13:19:45.6 +0000 UTC`."""
    time = _as_datetime(moment)
    return f"{time:%Y-%m-%d %H:%M:%S}{_fraction(time.microsecond)} +0000 UTC"


def format_duration(seconds: float) -> str:
    """Return a duration as Go prints it, rounded to microseconds: `1h2m3.5s`, `27.478s`, `500ms`."""
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
    """Prepare *value* for msgspec: floats become raw text, lone surrogates become U+FFFD."""
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
    """Return the shortest digits of a float32; with an exponent if below 1e-6 or at least 1e21, as in ES6."""
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
