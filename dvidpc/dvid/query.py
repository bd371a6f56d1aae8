"""What the text of a request means: the only place where strings from a URL are read.

Numbers are accepted as Go's `strconv` accepts them, with its error texts, since DVID's clients and
their users know those. (imageblk.go:1985-2030, 3400c2cb)
"""

import re
from collections.abc import Mapping

from dvidpc.errors import RequestError, TooLargeError
from dvidpc.types import BlockCoord, Compression, Point

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INTEGERS = re.compile(r"[+-]?[0-9]{1,18}(?:,[+-]?[0-9]{1,18})*", re.ASCII)
_LEAST, _MOST = -(2**31), 2**31 - 1
_SHOWN = 40


def parse_blocks(text: str, max_blocks: int) -> list[BlockCoord]:
    """The block coordinates of `blocks=x,y,z,x,y,z...`; none if *text* is empty.

    Raises:
        RequestError: *text* is not made of triples of integers, or one does not fit 32 bits (DVID wraps
            those and answers another block).
        TooLargeError: There are more than *max_blocks*.
    """
    if not text:
        return []
    count, rest = divmod(text.count(",") + 1, 3)
    if rest:
        raise RequestError("block query string should be three coordinates per block")
    check_block_count(count, max_blocks)
    parts = text.split(",")
    if not _INTEGERS.fullmatch(text):
        for part in parts:
            parse_int32(part, "Atoi")
    numbers = [*map(int, parts)]
    if min(numbers) < _LEAST or max(numbers) > _MOST:
        bad = next(part for part in parts if not _LEAST <= int(part) <= _MOST)
        raise RequestError(f'strconv.Atoi: parsing "{bad[:_SHOWN]}": value out of range')
    return list(map(BlockCoord, numbers[::3], numbers[1::3], numbers[2::3]))


def check_block_count(count: int, max_blocks: int) -> None:
    """Refuse a request for too many blocks.

    Raises:
        TooLargeError: *count* is more than *max_blocks*.
    """
    if count > max_blocks:
        raise TooLargeError(
            f"{count} blocks asked for; this server answers at most {max_blocks} (max_blocks)"
        )


def check_size(size: int, max_response: int) -> None:
    """Refuse a request whose answer would be too large.

    Raises:
        TooLargeError: *size* bytes are more than *max_response*.
    """
    if size > max_response:
        raise TooLargeError(
            f"{size} bytes asked for; this server answers at most {max_response} (max_response)"
        )


def parse_int32(text: str, function: str) -> int:
    """An integer of 32 bits, as Go's `strconv.<function>` reads it.

    Raises:
        RequestError: *text* is no integer in ASCII digits, or does not fit.
    """
    if not _INTEGER.fullmatch(text):
        raise RequestError(f'strconv.{function}: parsing "{text[:_SHOWN]}": invalid syntax')
    if len(text) > _SHOWN or not _LEAST <= int(text) <= _MOST:
        raise RequestError(f'strconv.{function}: parsing "{text[:_SHOWN]}": value out of range')
    return int(text)


def parse_point(text: str, name: str) -> Point:
    """Three integers joined by `_`, such as the size or offset of a subvolume.

    Args:
        text: What the path holds; blanks around the numbers are dropped, as in DVID.
        name: What the numbers are, for the message: `Size` or `Offset`.

    Raises:
        RequestError: There are not three of them, or one is no 32-bit integer.
    """
    parts = text.split("_")
    if len(parts) == 1:
        raise RequestError(f"cannot convert '{text[:_SHOWN]}' into a Point.")
    numbers = [parse_int32(part.strip(), "ParseInt") for part in parts]
    if len(numbers) == 3:
        return Point(*numbers)
    if name == "Size":
        raise RequestError(f"Size must be 3 (not {len(numbers)}) dimensions")
    raise RequestError(f"{name} must be 3d coordinate, not {len(numbers)}-d coordinate")


def parse_block_coord(text: str) -> BlockCoord:
    """A block coordinate in a path: `x_y_z`.

    Raises:
        RequestError: It is not made of three 32-bit integers.
    """
    parts = text.split("_")
    if len(parts) != 3:
        raise RequestError(f'cannot convert "{text[:_SHOWN]}" into a ChunkPoint3d')
    return BlockCoord(*(parse_int32(part.strip(), "ParseInt") for part in parts))


def parse_compression(text: str, default: Compression) -> Compression:
    """The value of `compression=`; *default* where it is empty or absent.

    Raises:
        RequestError: It is neither `jpeg` nor `uncompressed`.
    """
    if not text:
        return default
    try:
        return Compression(text)
    except ValueError:
        raise RequestError(f"don't understand 'compression' query string value: {text[:_SHOWN]}") from None


def parse_switch(query: Mapping[str, str], name: str) -> bool:
    """Whether a switch such as `prefetch` is on, which DVID writes as `on` or `true`."""
    return query.get(name) in {"on", "true"}
