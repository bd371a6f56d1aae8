"""Parse points, vectors, block coordinates and lists of them.

(imageblk.go:1985-2030 and point.go, 3400c2cb)
"""

import re

from dvidpc.dvid.limits import check_block_count
from dvidpc.dvid.url.numbers import LEAST_INT32, MOST_INT32, SHOWN, out_of_range, parse_float, parse_int32
from dvidpc.errors import RequestError
from dvidpc.formats.oblique import Vector
from dvidpc.types import BlockCoord, Point

_INTEGERS = re.compile(r"[+-]?[0-9]{1,18}(?:,[+-]?[0-9]{1,18})*", re.ASCII)
_USUAL_POINT = re.compile(r"([+-]?[0-9]{1,9})_([+-]?[0-9]{1,9})_([+-]?[0-9]{1,9})", re.ASCII)
"""Three integers that fit in 32 bits, whatever their digits."""


def parse_blocks(text: str, max_blocks: int) -> list[BlockCoord]:
    """Parse the block coordinates of `blocks=x,y,z,x,y,z...`; an empty *text* names no block.

    Raises:
        RequestError: *text* does not consist of triples of integers, or an integer does not fit in 32 bits.
            DVID wraps such integers and answers with another block.
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
    if min(numbers) < LEAST_INT32 or max(numbers) > MOST_INT32:
        raise out_of_range(next(part for part in parts if not LEAST_INT32 <= int(part) <= MOST_INT32), "Atoi")
    return list(map(BlockCoord, numbers[::3], numbers[1::3], numbers[2::3]))


def parse_block_coord(text: str) -> BlockCoord:
    """Parse a block coordinate in a path: `x_y_z`.

    Raises:
        RequestError: *text* is not three 32-bit integers.
    """
    parts = text.split("_")
    if len(parts) != 3:
        raise RequestError(f'cannot convert "{text[:SHOWN]}" into a ChunkPoint3d')
    return BlockCoord(*(parse_int32(part.strip(), "ParseInt") for part in parts))


def parse_point(text: str, name: str) -> Point:
    """Parse three integers joined by `_`, such as the size or offset of a subvolume.

    Args:
        text: A part of the path. Blanks around the numbers are ignored, as in DVID.
        name: What the numbers are, for the error message: `Size` or `Offset`.

    Raises:
        RequestError: *text* is not three 32-bit integers.
    """
    usual = _USUAL_POINT.fullmatch(text)
    if usual is not None:
        x, y, z = usual.groups()
        return Point(int(x), int(y), int(z))
    parts = text.split("_")
    if len(parts) == 1:
        raise RequestError(f"cannot convert '{text[:SHOWN]}' into a Point.")
    numbers = [parse_int32(part.strip(), "ParseInt") for part in parts]
    if len(numbers) == 3:
        return Point(*numbers)
    if name == "Size":
        raise RequestError(f"Size must be 3 (not {len(numbers)}) dimensions")
    raise RequestError(f"{name} must be 3d coordinate, not {len(numbers)}-d coordinate")


def parse_voxel(text: str) -> Point:
    """Parse the position of a voxel: three integers joined by `_`.

    (dvid/point.go, StringToPoint3d, 3400c2cb)

    Raises:
        RequestError: *text* is not three 32-bit integers.
    """
    parts = text.split("_")
    if len(parts) != 3:
        raise RequestError(f'String "{text[:SHOWN]}" cannot be converted to a 3d point')
    return Point(*(parse_int32(part, "ParseInt") for part in parts))


def parse_vector(text: str) -> Vector:
    """Parse a position in nanometers: `x_y_z`.

    Raises:
        RequestError: *text* is not three finite numbers.
    """
    parts = text.split("_")
    if len(parts) != 3:
        raise RequestError(f"can't convert string '{text[:SHOWN]}' (length {len(parts)}) to Vector3d")
    x, y, z = (parse_float(part.strip()) for part in parts)
    return x, y, z
