"""Sizes, numbers and times in words."""

from typing import Final

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def describe_size(nbytes: float) -> str:
    """Return a number of bytes with the unit in which it has 1 to 4 digits: `12 bytes`, `3.4 GiB`."""
    amount, unit = float(nbytes), 0
    while amount >= 1023.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    digits = 1 if unit and amount < 9.95 else 0
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def describe_seconds(seconds: float) -> str:
    """Return a duration in its two largest units: `7 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`."""
    whole = round(seconds)
    for unit, below, size in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if whole >= size:
            smaller = {"h": 3_600, "min": 60, "s": 1}[below]
            return f"{whole // size} {unit} {whole % size // smaller} {below}"
    return f"{whole} s"


def describe_count(count: int, what: str) -> str:
    """Return how many there are of *what*: `1 chunk`, `2,000 chunks`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
