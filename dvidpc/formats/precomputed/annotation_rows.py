"""Annotations with the voxels of their ends, ready to be searched and to become elements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.grid import Box
from dvidpc.formats.lattice import Placement, Span
from dvidpc.formats.precomputed.annotation_info import RANK, AnnotationType
from dvidpc.formats.precomputed.annotation_layout import GEOMETRY, Layout
from dvidpc.formats.precomputed.annotation_records import Decoded, decode_list, join_vertices
from dvidpc.formats.precomputed.annotation_settings import End


@dataclass(frozen=True, slots=True)
class Rows:
    """Some annotations. An annotation may occur twice."""

    annotation_type: AnnotationType
    decoded: Decoded
    voxels: NDArray[np.int32]
    """The voxel of each end, `[n, end, xyz]`; 0 where the end has none."""
    is_placed: NDArray[np.bool_]
    """Whether each end has a voxel, `[n, end]`."""
    by_z: NDArray[np.int64]
    """All ends by ascending z: `2 * row + end` for lines, else the row."""

    @property
    def nbytes(self) -> int:
        """Memory use in bytes."""
        return self.decoded.nbytes + self.voxels.nbytes + self.is_placed.nbytes + self.by_z.nbytes

    @property
    def num_ends(self) -> int:
        """Ends of each annotation."""
        return int(self.voxels.shape[1])

    @property
    def num_unplaced(self) -> int:
        """How many ends have no voxel: they are not finite, or beyond int32."""
        return self.is_placed.size - int(self.is_placed.sum())


class Part(NamedTuple):
    """Some ends of one list."""

    rows: Rows
    ends: NDArray[np.int64]
    """Numbered as in `Rows.by_z`."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Ends of annotations, no end twice: what elements are made of."""

    decoded: Decoded
    """The annotations, each once."""
    voxels: NDArray[np.int32]
    """The voxel of each end, `[n, end, xyz]`."""
    is_placed: NDArray[np.bool_]
    """Whether each end has a voxel, `[n, end]`."""
    chosen: NDArray[np.int64]
    """The ends that become elements, numbered as in `Rows.by_z`."""


def prepare(decoded: Decoded, layout: Layout, placement: Placement) -> Rows:
    """Return decoded annotations with the voxels of their ends."""
    placed = placement.place(_positions(decoded, layout.annotation_type))
    voxels, is_placed = placed.voxels, placed.is_placed
    by_z = np.argsort(voxels.reshape(-1, RANK)[:, 2], kind="stable")
    return Rows(layout.annotation_type, decoded, voxels, is_placed, by_z)


def decode_rows(data: bytes, layout: Layout, placement: Placement) -> Rows:
    """Decode a list of annotations and find their voxels.

    Raises:
        FormatError: *data* is malformed.
    """
    return prepare(decode_list(data, layout), layout, placement)


def ends_in_box(rows: Rows, box: Box) -> NDArray[np.int64]:
    """Return the ends with a voxel in *box*, in no particular order."""
    voxels = rows.voxels.reshape(-1, RANK)
    first, last = np.searchsorted(voxels[:, 2], [box.start.z, box.stop.z], sorter=rows.by_z)
    ends = rows.by_z[first:last]
    near = voxels[ends]
    low, high = np.array(box.start), np.array(box.stop)
    is_inside = ((near >= low) & (near < high)).all(axis=1)
    return ends[is_inside & rows.is_placed.reshape(-1)[ends]]


def ends_of(rows: Rows, end: End) -> NDArray[np.int64]:
    """Return that end of all annotations, where it has a voxel."""
    return np.flatnonzero(rows.is_placed[:, end]) * rows.num_ends + end


def gather(parts: Sequence[Part]) -> Ends:
    """Return the chosen ends of one or more lists; an annotation in several is taken from the first."""
    taken = [_take(rows, ends) for rows, ends in parts]
    ids = np.concatenate([part.decoded.ids for part in taken])
    order = np.argsort(ids, kind="stable")
    is_first = np.ones(len(ids), np.bool_)
    is_first[1:] = ids[order][1:] != ids[order][:-1]
    is_chosen = np.concatenate([part.is_chosen for part in taken])[order]
    if len(ids):
        is_chosen = np.logical_or.reduceat(is_chosen, np.flatnonzero(is_first), axis=0)
    kept = order[is_first]
    return Ends(
        _concatenate([part.decoded for part in taken], kept),
        np.concatenate([part.voxels for part in taken])[kept],
        np.concatenate([part.is_placed for part in taken])[kept],
        np.flatnonzero(is_chosen),
    )


class _Taken(NamedTuple):
    """The annotations of a list of which an end is chosen."""

    decoded: Decoded
    voxels: NDArray[np.int32]
    is_placed: NDArray[np.bool_]
    is_chosen: NDArray[np.bool_]
    """Which ends are chosen, `[n, end]`."""


def _take(rows: Rows, ends: NDArray[np.int64]) -> _Taken:
    is_chosen = np.zeros(rows.is_placed.shape, np.bool_)
    is_chosen.reshape(-1)[ends] = True
    kept = np.flatnonzero(is_chosen.any(axis=1))
    decoded = rows.decoded
    if len(kept) < len(decoded.ids):
        vertices = None if decoded.vertices is None else decoded.vertices.take(kept)
        decoded = Decoded(decoded.ids[kept], decoded.records[kept], vertices)
    return _Taken(decoded, rows.voxels[kept], rows.is_placed[kept], is_chosen[kept])


def _concatenate(parts: Sequence[Decoded], kept: NDArray[np.intp]) -> Decoded:
    """Return the annotations of all *parts* that are *kept*, in that order."""
    dtype = parts[0].records.dtype
    records = np.zeros(len(kept), dtype)
    if dtype.itemsize:
        raw = np.concatenate([part.records.view(f"V{dtype.itemsize}") for part in parts])
        records = raw[kept].view(dtype)
    ids = np.concatenate([part.ids for part in parts])[kept]
    vertices = [part.vertices for part in parts if part.vertices is not None]
    if not vertices:
        return Decoded(ids, records)
    return Decoded(ids, records, join_vertices(vertices).take(kept))


def extents(decoded: Decoded, annotation_type: AnnotationType) -> Span:
    """Return the box of each annotation in stored units, `[n, stored axis]` at either end."""
    with np.errstate(all="ignore"):
        if decoded.vertices is not None:
            vertices = decoded.vertices
            if not len(decoded.ids):
                return Span(np.empty((0, RANK)), np.empty((0, RANK)))
            points, firsts = vertices.points.astype(np.float64), vertices.firsts[:-1]
            return Span(np.minimum.reduceat(points, firsts), np.maximum.reduceat(points, firsts))
        geometry = _points(decoded).astype(np.float64)
        if annotation_type is AnnotationType.ELLIPSOID:
            centre, radii = geometry[:, 0], np.abs(geometry[:, 1])
            return Span(centre - radii, centre + radii)
        return Span(geometry.min(axis=1), geometry.max(axis=1))


def _positions(decoded: Decoded, annotation_type: AnnotationType) -> NDArray[Any]:
    """Return the position of each end in stored units, `[n, end, stored axis]`."""
    if decoded.vertices is not None:
        firsts = decoded.vertices.firsts[:-1]
        return decoded.vertices.points[firsts].reshape(-1, 1, RANK)
    geometry = _points(decoded)
    match annotation_type:
        case AnnotationType.BOX:
            with np.errstate(all="ignore"):
                return np.asarray(geometry.mean(axis=1, keepdims=True, dtype=np.float64))
        case AnnotationType.ELLIPSOID:
            return geometry[:, :1]
        case _:
            return geometry


def _points(decoded: Decoded) -> NDArray[np.float32]:
    """Return the geometry of records as points, `[n, point, stored axis]`; n may be 0."""
    geometry: NDArray[np.float32] = decoded.records[GEOMETRY]
    count, numbers = geometry.shape
    return geometry.reshape(count, numbers // RANK, RANK)
