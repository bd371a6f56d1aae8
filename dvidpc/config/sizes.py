"""Kinds of sizes: bytes, or text with a unit."""

import re
from typing import Final

from dvidpc.config.values import MOST_INTEGER, BadValueError, Kind, integer_of, text_of

LEAST_DISK: Final = 64 * 2**20
"""The smallest disk cache, in bytes: its files have a least size of their own."""

_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{infix}b": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for infix, base in (("", 1000), ("i", 1024))
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)")


def parse_size(value: object) -> int:
    """Parse bytes from an integer or from text: "1.5 GiB" uses powers of 1024, "2 GB" powers of 1000."""
    if isinstance(value, int):
        return integer_of(value, 0, MOST_INTEGER)
    match = _SIZE.fullmatch(text_of(value))
    if match is None:
        raise BadValueError
    amount, unit = match.groups()
    if unit.lower() not in _UNITS:
        raise BadValueError(f'unknown unit "{unit}", known are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB')
    scale = _UNITS[unit.lower()]
    size = int(float(amount) * scale) if "." in amount else int(amount) * scale
    if size > MOST_INTEGER:
        raise BadValueError
    return size


def _positive_size(value: object) -> int:
    size = parse_size(value)
    if size == 0:
        raise BadValueError
    return size


def _disk_size(value: object) -> int:
    size = parse_size(value)
    if 0 < size < LEAST_DISK:
        raise BadValueError
    return size


SIZE = Kind("a size of at least one byte", '"512MiB"', _positive_size)
CACHE_SIZE = Kind("a size", '"512MiB"', parse_size)
DISK_SIZE = Kind(f"0 or a size of at least {LEAST_DISK // 2**20} MiB", '"200GiB"', _disk_size)
