"""Decodes annotations: lists of them, as of a cell or a related object, and single ones by id.

(neuroglancer annotations.md; lengths are checked as in precomputed/backend.ts)
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.annotation_info import RANK, AnnotationType
from dvidpc.formats.precomputed.annotation_layout import Layout

COUNT_SIZE: Final = 8
"""Bytes at the start of a list that hold the number of its annotations."""
ID_SIZE: Final = 8

_COUNT: Final = struct.Struct("<Q")
_NUM_POINTS: Final = struct.Struct("<I")
_MAX_COUNT: Final = 2**32
_POINTS_MASK: Final = 0x7FFFFFFF
"""The bits that a single polyline's number of vertices has; neuroglancer ignores the highest."""


@dataclass(frozen=True, slots=True)
class Vertices:
    """The vertices of polylines, one after the other."""

    points: NDArray[np.float32]
    """`[vertex, stored axis]`"""
    firsts: NDArray[np.int64]
    """Where each polyline begins, `[n + 1]`; the last entry is the number of vertices."""

    @property
    def nbytes(self) -> int:
        """Memory use in bytes."""
        return self.points.nbytes + self.firsts.nbytes

    def take(self, chosen: NDArray[np.intp]) -> "Vertices":
        """Return the vertices of the *chosen* polylines, in that order."""
        starts, lengths = self.firsts[chosen], np.diff(self.firsts)[chosen]
        firsts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return Vertices(self.points[_spread(starts, lengths, firsts)], firsts)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Some annotations as they are stored."""

    ids: NDArray[np.uint64]
    records: NDArray[Any]
    """`[n]` of the layout's dtype, by property id; read-only, and not aligned."""
    vertices: Vertices | None = None
    """None: they are no polylines, and records have GEOMETRY."""

    @property
    def nbytes(self) -> int:
        """Memory use in bytes."""
        return self.ids.nbytes + self.records.nbytes + (0 if self.vertices is None else self.vertices.nbytes)


@dataclass(frozen=True, slots=True)
class Record:
    """A single annotation."""

    decoded: Decoded
    """Holds one annotation."""
    related: tuple[tuple[int, ...], ...]
    """The related objects, for each relationship of the `info`."""


def join_vertices(parts: Sequence[Vertices]) -> Vertices:
    """Return the vertices of several lists of polylines as those of one."""
    lengths = np.concatenate([np.diff(part.firsts) for part in parts])
    firsts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Vertices(np.concatenate([part.points for part in parts]), firsts)


def max_list_size(count: int, layout: Layout, max_vertices: int = 64) -> int:
    """Return the bytes of a list of *count* annotations; of polylines with *max_vertices* on average."""
    extra = 4 * RANK * (max_vertices - 1) if layout.annotation_type is AnnotationType.POLYLINE else 0
    return COUNT_SIZE + count * (layout.min_size + extra + ID_SIZE)


def decode_count(data: bytes) -> int:
    """Return how many annotations a list holds, from its first 8 bytes; *data* may go on.

    Raises:
        FormatError: *data* is shorter, or the number cannot be right.
    """
    if len(data) < COUNT_SIZE:
        raise FormatError(f"a list of annotations has {len(data)} bytes, fewer than {COUNT_SIZE}")
    (count,) = _COUNT.unpack_from(data)
    if count >= _MAX_COUNT:
        raise FormatError(f"a list of annotations claims to hold {count}, more than 2^32 - 1")
    return int(count)


def decode_list(data: bytes, layout: Layout) -> Decoded:
    """Decode a list: a number, as many annotations without relationships, and as many ids.

    Raises:
        FormatError: *data* does not hold exactly that.
    """
    count = decode_count(data)
    if layout.annotation_type is AnnotationType.POLYLINE:
        return _decode_polylines(data, count, layout)
    expected = COUNT_SIZE + count * (layout.size + ID_SIZE)
    if len(data) != expected:
        raise FormatError(
            f"a list of {count} annotations has {len(data)} bytes, not {expected}{_explain(layout)}"
        )
    records = np.frombuffer(data, layout.dtype, count, COUNT_SIZE)
    ids = np.frombuffer(data, "<u8", count, COUNT_SIZE + count * layout.size)
    return Decoded(ids.astype(np.uint64, copy=False), records)


def decode_record(data: bytes, layout: Layout, annotation_id: int, num_relationships: int) -> Record:
    """Decode a single annotation, which ends with the ids of related objects.

    Raises:
        FormatError: *data* does not hold exactly that.
    """
    size = layout.size
    ids = np.array([annotation_id], np.uint64)
    if layout.annotation_type is AnnotationType.POLYLINE:
        num_points = _read_num_points(data, 0) & _POINTS_MASK
        size = _end_of_polyline(data, 0, num_points, layout)
        decoded = _gather_polylines(data, np.array([0]), np.array([num_points]), ids, layout)
    elif len(data) < size:
        raise FormatError(f"annotation has {len(data)} bytes, fewer than {size}{_explain(layout)}")
    else:
        decoded = Decoded(ids, np.frombuffer(data, layout.dtype, 1))
    return Record(decoded, _decode_related(data, size, num_relationships))


def _decode_related(data: bytes, position: int, num_relationships: int) -> tuple[tuple[int, ...], ...]:
    related = []
    for _ in range(num_relationships):
        count = _read_num_points(data, position)
        position += _NUM_POINTS.size
        if len(data) < position + count * ID_SIZE:
            raise FormatError(f"annotation ends before its {count} related ids do")
        related.append(tuple(np.frombuffer(data, "<u8", count, position).tolist()))
        position += count * ID_SIZE
    if position != len(data):
        raise FormatError(f"annotation has {len(data)} bytes, not {position}")
    return tuple(related)


def _decode_polylines(data: bytes, count: int, layout: Layout) -> Decoded:
    if len(data) < COUNT_SIZE + count * (layout.min_size + ID_SIZE):
        raise FormatError(f"a list of {count} polylines has only {len(data)} bytes")
    starts, lengths = np.empty(count, np.int64), np.empty(count, np.int64)
    position = COUNT_SIZE
    for number in range(count):
        starts[number], lengths[number] = position, _read_num_points(data, position)
        position = _end_of_polyline(data, position, int(lengths[number]), layout)
    expected = position + count * ID_SIZE
    if len(data) != expected:
        raise FormatError(
            f"a list of {count} polylines has {len(data)} bytes, not {expected}{_explain(layout)}"
        )
    ids = np.frombuffer(data, "<u8", count, position).astype(np.uint64, copy=False)
    return _gather_polylines(data, starts, lengths, ids, layout)


def _gather_polylines(
    data: bytes,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    ids: NDArray[np.uint64],
    layout: Layout,
) -> Decoded:
    """Return the polylines that begin at *starts* and have as many vertices as *lengths* says."""
    firsts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    words = np.frombuffer(data, "<f4", len(data) // 4)
    points = words[_spread(starts // 4 + 1, lengths * RANK, firsts * RANK)].reshape(-1, RANK)
    tails = starts + _NUM_POINTS.size + lengths * 4 * RANK
    if not layout.size:
        return Decoded(ids, np.zeros(len(ids), layout.dtype), Vertices(points, firsts))
    stored = np.frombuffer(data, "u1")[tails[:, None] + np.arange(layout.size)]
    return Decoded(ids, np.ascontiguousarray(stored).view(layout.dtype)[:, 0], Vertices(points, firsts))


def _spread(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], firsts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the indices of runs that begin at *starts*; *firsts* are the sums of *lengths*."""
    return np.repeat(starts - firsts[:-1], lengths) + np.arange(firsts[-1])


def _read_num_points(data: bytes, position: int) -> int:
    if len(data) < position + _NUM_POINTS.size:
        raise FormatError("annotation ends before a count in it does")
    return int(_NUM_POINTS.unpack_from(data, position)[0])


def _end_of_polyline(data: bytes, position: int, num_points: int, layout: Layout) -> int:
    """Return where a polyline ends that begins at *position*."""
    end = position + _NUM_POINTS.size + num_points * 4 * RANK + layout.size
    if not num_points or end > len(data):
        raise FormatError(f"polyline claims to have {num_points} vertices")
    return end


def _explain(layout: Layout) -> str:
    """Return the likely reason for a wrong length, for the error; empty if none is known."""
    dtypes = [layout.dtype[name] for name in layout.dtype.names or ()]
    wide = [dtype for dtype in dtypes if dtype in {np.dtype("<u4"), np.dtype("<i4"), np.dtype("<f4")}]
    if np.dtype("<u4") in wide and len(wide) > 1:
        return "; was it written by neuroglancer 2.41.2 or older, which misplaces uint32 properties?"
    return ""
