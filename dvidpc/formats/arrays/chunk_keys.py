"""Names of chunk objects: the numbers of a cell, joined and perhaps prefixed."""

import re
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyEncoding:
    """How a cell of an array becomes the name of its object, relative to the array's directory.

    zarr v2 and N5 join the numbers (`0.0.0`, `0/0/0`); zarr v3 puts `c` before them (`c/0/0/0`).
    (zarr v3 section "Chunk key encoding")
    """

    separator: str
    prefix: str = ""
    """`c` or nothing."""

    def encode(self, cell: tuple[int, ...]) -> str:
        """Return the name of the object of *cell*, given in the order of the array's dimensions."""
        parts = [self.prefix, *map(str, cell)] if self.prefix else list(map(str, cell))
        return self.separator.join(parts) or "0"

    def decode(self, name: str, rank: int) -> tuple[int, ...] | None:
        """Return the cell that an object holds; None if the array has no object of this name."""
        parts = name.split(self.separator)
        if self.prefix and parts.pop(0) != self.prefix:
            return None
        if not all(map(_NUMBER.fullmatch, parts)):
            return None
        cell = tuple(map(int, parts))
        if rank == 0:
            return () if cell == (0,) or (self.prefix and not cell) else None
        return cell if len(cell) == rank else None
