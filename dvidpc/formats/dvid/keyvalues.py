"""The forms in which DVID answers with many keys and values: protobuf, tar and JSON.

The messages are those of datatype/keyvalue: `KeyValues { repeated KeyValue kvs = 1 }` and
`KeyValue { string key = 1; bytes value = 2 }`.
"""

import struct
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import encode, quote

Pair: TypeAlias = tuple[str, bytes | None]
"""A key and its value; None: it has none."""

_KEY_FIELD: Final = b"\x0a"
_VALUE_FIELD: Final = b"\x12"
_BLOCK: Final = 512
_MAX_NAME: Final = 100
_HEADER: Final = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


def encode_protobuf(pairs: Iterable[Pair]) -> bytes:
    """Return pairs as a `KeyValues` message; a key without a value has no value field."""
    return b"".join(_field(_KEY_FIELD, _encode_pair(key, value)) for key, value in pairs)


def encode_tar(pairs: Iterable[Pair]) -> bytes:
    """Return pairs as a tar archive, as Go's `archive/tar` writes it; a key without a value is an empty file.

    Raises:
        RequestError: A key cannot be the name of a file in an archive.
    """
    parts = []
    for key, value in pairs:
        data = value or b""
        parts += [_encode_header(key, len(data)), data, bytes(-len(data) % _BLOCK)]
    return b"".join((*parts, bytes(2 * _BLOCK)))


def encode_json(pairs: Iterable[Pair], *, check: bool) -> bytes:
    """Return pairs as a JSON object whose members are the values as they are; a key without a value has `{}`.

    Args:
        pairs: Keys and values.
        check: Whether to make sure that every value is JSON.

    Raises:
        RequestError: A value is not JSON.
    """
    members = []
    for key, value in pairs:
        if check and value and not is_json(value):
            raise RequestError(f"bad JSON for key {quote(key)}; use tar, protobuf or check=false")
        members.append(encode(key) + b":" + (value or b"{}"))
    return b"{" + b",".join(members) + b"}"


def is_json(value: bytes) -> bool:
    """Return whether a value is JSON."""
    try:
        _RAW.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _encode_pair(key: str, value: bytes | None) -> bytes:
    encoded = _field(_KEY_FIELD, key.encode())
    return encoded + _field(_VALUE_FIELD, value) if value else encoded


def _field(tag: bytes, data: bytes) -> bytes:
    return b"".join((tag, _encode_varint(len(data)), data))


def _encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _encode_header(name: str, size: int) -> bytes:
    if not name.isascii() or not 0 < len(name) <= _MAX_NAME or "\0" in name:
        raise RequestError(f"key {quote(name[:_MAX_NAME])} cannot be the name of a file in a tar archive")
    zero = b"0000000\0"
    fields = [name.encode(), b"0000755\0", zero, zero, b"%011o\0" % size, b"00000000000\0", b" " * 8, b"0"]
    fields += [b"", b"ustar\x0000", b"", b"", zero, zero, b""]
    fields[6] = b"%06o\0 " % sum(_HEADER.pack(*fields))
    return _HEADER.pack(*fields)
