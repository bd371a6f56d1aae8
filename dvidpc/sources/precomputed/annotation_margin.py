"""Measures how far annotations reach, and so how far one may lie from the cell that lists it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dvidpc.formats.lattice import Span
from dvidpc.formats.precomputed.annotation_rows import Rows, extents


@dataclass(frozen=True, slots=True)
class Margin:
    """How far to look beyond a box, along the stored axes in units of the dimensions."""

    reach: tuple[float, ...]
    nbytes: int = 64
    """Memory use in bytes."""

    def widen(self, span: Span) -> Span:
        """Return *span*, widened to all sides."""
        reach = np.array(self.reach)
        return Span(span.low - reach, span.high + reach)


def measure(lists: Sequence[Rows]) -> Margin:
    """Return the largest finite extent along each axis of the annotations in *lists*."""
    reach = np.zeros(3)
    for rows in lists:
        low, high = extents(rows.decoded, rows.annotation_type)
        with np.errstate(all="ignore"):
            size = high - low
        size[~np.isfinite(size)] = 0
        reach = np.maximum(reach, size.max(axis=0, initial=0))
    return Margin(tuple(reach.tolist()))
