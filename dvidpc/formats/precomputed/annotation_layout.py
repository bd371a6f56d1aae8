"""The layout of an encoded annotation: where its geometry and properties lie.

Properties are sorted by their alignment, the widest first, and packed; equal ones keep the order of the
`info`. They lie in groups of at most 255 bytes, which neuroglancer loads as vertex attributes: a property
that does not fit begins a new group, and the previous one is padded to 4 bytes. The geometry belongs to the
first group.
(neuroglancer annotation/index.ts, getPropertyOffsets; annotations.md does not mention groups)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from dvidpc.formats.precomputed.annotation_info import RANK, AnnotationType
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType

GEOMETRY: Final = "@geometry"
"""The field of the geometry; no property can have this name."""

_MAX_GROUP: Final = 255
_ALIGNMENT: Final = 4
_COUNT_SIZE: Final = 4
_POINT_SIZE: Final = 4 * RANK


class _Stored(NamedTuple):
    """How a type of property is stored."""

    dtype: np.dtype[Any]
    alignment: int


_STORED: Final = MappingProxyType(
    {
        PropertyType.RGB: _Stored(np.dtype(("u1", (3,))), 1),
        PropertyType.RGBA: _Stored(np.dtype(("u1", (4,))), 1),
        PropertyType.BOOL: _Stored(np.dtype("u1"), 1),
        PropertyType.UINT8: _Stored(np.dtype("u1"), 1),
        PropertyType.INT8: _Stored(np.dtype("i1"), 1),
        PropertyType.UINT16: _Stored(np.dtype("<u2"), 2),
        PropertyType.INT16: _Stored(np.dtype("<i2"), 2),
        PropertyType.UINT32: _Stored(np.dtype("<u4"), 4),
        PropertyType.INT32: _Stored(np.dtype("<i4"), 4),
        PropertyType.FLOAT32: _Stored(np.dtype("<f4"), 4),
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the annotations of a collection are encoded."""

    annotation_type: AnnotationType
    dtype: np.dtype[Any]
    """A record: GEOMETRY and a field for each property, by id. For polylines it is what follows the vertices,
    and has no GEOMETRY."""

    @property
    def size(self) -> int:
        """Bytes of a record; for polylines without the vertices and their number."""
        return self.dtype.itemsize

    @property
    def min_size(self) -> int:
        """The fewest bytes that an annotation takes."""
        is_polyline = self.annotation_type is AnnotationType.POLYLINE
        return self.size + (_COUNT_SIZE + _POINT_SIZE if is_polyline else 0)


def make_layout(annotation_type: AnnotationType, properties: Iterable[Property]) -> Layout:
    """Return the layout of annotations with *properties*, which are in the order of the `info`."""
    start = {AnnotationType.POINT: _POINT_SIZE, AnnotationType.POLYLINE: _COUNT_SIZE + 2 * _POINT_SIZE}
    first = start.get(annotation_type, 2 * _POINT_SIZE)
    ordered = sorted(properties, key=lambda each: -_STORED[each.type].alignment)
    offsets, size = _place([_STORED[each.type] for each in ordered], first)
    names = [each.id for each in ordered]
    formats = [_STORED[each.type].dtype for each in ordered]
    if annotation_type is AnnotationType.POLYLINE:
        offsets, size = [offset - first for offset in offsets], size - first
    else:
        names, offsets = [GEOMETRY, *names], [0, *offsets]
        formats = [np.dtype(("<f4", (first // 4,))), *formats]
    dtype = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})
    return Layout(annotation_type, dtype)


def _place(stored: Iterable[_Stored], first: int) -> tuple[list[int], int]:
    """Return where each property begins, and the size of the record; *first* is the size of the geometry."""
    offsets = []
    group, position = 0, first
    for dtype, alignment in stored:
        aligned = _round_up(position, alignment)
        if _round_up(aligned + dtype.itemsize, _ALIGNMENT) > _MAX_GROUP:
            group += _round_up(position, _ALIGNMENT)
            aligned = 0
        offsets.append(group + aligned)
        position = aligned + dtype.itemsize
    return offsets, group + _round_up(position, _ALIGNMENT)


def _round_up(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
