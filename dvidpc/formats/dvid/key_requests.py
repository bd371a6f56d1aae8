"""Parse the body of a `keyvalues` request: which keys, and which bytes of their values.

The protobuf message is `Keys { repeated string keys = 1; repeated KeyRange key_ranges = 2 }`, with
`KeyRange { string key = 1; uint64 byte_start = 2; uint64 byte_end = 3 }`. Refusals use DVID's words.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote

T = TypeVar("T")

_GO_TYPE: Final = "keyvalue.jsonKeyReadRequest"
_MALFORMED: Final = "proto:\u00a0cannot parse invalid wire-format data"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STARTERS: Final = b'{["tfn-0123456789'
_SHOWN: Final = 40


class ByteSpan(NamedTuple):
    """Bytes of a value, both ends inclusive."""

    first: int
    last: int

    def cut(self, key: str, data: bytes) -> bytes:
        """Return these bytes of the value of *key*.

        Raises:
            RequestError: The span runs backwards, or the value ends before it does.
        """
        if self.first > self.last:
            raise RequestError(
                f"byte_start {self.first} must be <= byte_end {self.last} for key {quote(key)}"
            )
        if self.last >= len(data):
            raise RequestError(
                f"byte_end {self.last} is outside value for key {quote(key)} with {len(data)} bytes"
            )
        return data[self.first : self.last + 1]


class KeyRead(NamedTuple):
    """A key whose value is asked for."""

    key: str
    span: ByteSpan | None = None
    """Which bytes of the value; None: all of them."""


class _JsonRead(msgspec.Struct):
    key: str
    byte_start: int | None = None
    byte_end: int | None = None


_READS: Final = msgspec.json.Decoder(list[str | _JsonRead] | None)
_IDS: Final = msgspec.json.Decoder(list[str | int] | None)
_NAMED_KINDS: Final = {"array": "array", "bool": "bool", "float": "number", "int": "number", "null": "null"}


def parse_json_reads(body: bytes) -> list[KeyRead]:
    """Parse a JSON list of keys, or of objects with `key`, `byte_start` and `byte_end`.

    Raises:
        RequestError: It is none.
    """
    entries = _decode(_READS, body)
    return [KeyRead(entry) if isinstance(entry, str) else _of_object(entry) for entry in entries]


def parse_json_ids(body: bytes) -> list[KeyRead]:
    """Parse a JSON list of ids, as numbers or as strings.

    Raises:
        RequestError: It is none.
    """
    return [KeyRead(str(entry)) for entry in _decode(_IDS, body)]


def parse_protobuf_reads(body: bytes) -> list[KeyRead]:
    """Parse a `Keys` message: whole values first, then ranges.

    Raises:
        RequestError: It is none.
    """
    whole, ranged = [], []
    for number, value in _fields(body):
        if number == 1:
            whole.append(KeyRead(_text(value)))
        elif number == 2:
            ranged.append(_of_message(_bytes(value)))
    return whole + ranged


def _decode(decoder: msgspec.json.Decoder[list[T] | None], body: bytes) -> list[T]:
    """Decode a list; null is an empty one."""
    try:
        return decoder.decode(body) or []
    except msgspec.ValidationError as error:
        raise RequestError(_mismatch(body, str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(_syntax_fault(body, str(error))) from None


def _of_object(entry: _JsonRead) -> KeyRead:
    if entry.byte_start is None and entry.byte_end is None:
        return KeyRead(entry.key)
    if entry.byte_start is None or entry.byte_end is None:
        raise RequestError(f"range read for key {quote(entry.key)} requires both byte_start and byte_end")
    if min(entry.byte_start, entry.byte_end) < 0:
        raise RequestError(f"range read for key {quote(entry.key)} has a negative end")
    return KeyRead(entry.key, ByteSpan(entry.byte_start, entry.byte_end))


def _of_message(body: bytes) -> KeyRead:
    members: dict[int, int | bytes] = {1: b"", 2: 0, 3: 0, **dict(_fields(body))}
    first, last = members[2], members[3]
    if not isinstance(first, int) or not isinstance(last, int):
        raise RequestError(_MALFORMED)
    return KeyRead(_text(members[1]), ByteSpan(first, last))


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a message."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            integer, at = _varint(body, at)
            yield number, integer
            continue
        if wire_type == _BYTES:
            size, at = _varint(body, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire_type, len(body) + 1)
        if not number or at + size > len(body):
            raise RequestError(_MALFORMED)
        yield number, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at *at*, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            break
        number |= (body[at] & 0x7F) << shift
        at += 1
        if body[at - 1] < 0x80:
            return number & (2**64 - 1), at
    raise RequestError(_MALFORMED)


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise RequestError(_MALFORMED)
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise RequestError("string field contains invalid UTF-8") from None


def _mismatch(body: bytes, text: str) -> str:
    """Return Go's text for JSON of another shape; *text* is that of msgspec, which names the kind it got."""
    if body.lstrip()[:1] != b"[":
        return f"json: cannot unmarshal object into Go value of type []{_GO_TYPE}"
    got = text.rpartition("got `")[2].partition("`")[0]
    if got in _NAMED_KINDS:
        return f"json: cannot unmarshal {_NAMED_KINDS[got]} into Go value of type {_GO_TYPE}"
    return text


def _syntax_fault(body: bytes, text: str) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "unexpected end of JSON input"
    if start not in _STARTERS:
        shown = start.decode("latin-1")
        return f"invalid character '{shown}' looking for beginning of value"
    return text[:_SHOWN]
