"""Formats rows of numbers as text, quickly and without holding the interpreter's lock for long."""

from collections.abc import Iterator, Sequence
from typing import Final

_ROWS: Final = 512
"""Rows that are formatted by one operation: about a millisecond, during which no other thread runs."""


def format_rows(template: str, values: Sequence[float], per_row: int) -> str:
    """Return *template*, a `%` format of one row, filled with *values* row by row.

    Args:
        template: Takes *per_row* values.
        values: Those of all rows, in order.
        per_row: Values in a row.
    """
    return "".join(_pieces(template, values, per_row))


def _pieces(template: str, values: Sequence[float], per_row: int) -> Iterator[str]:
    step = _ROWS * per_row
    for at in range(0, len(values), step):
        piece = tuple(values[at : at + step])
        yield template * (len(piece) // per_row) % piece
