"""Writes skeletons as SWC, in the subset that neuroglancer's DVID source reads.

Its pattern takes plain decimals only and drops other lines without a word, so numbers have no exponent
(neuroglancer src/skeleton/decode_swc_skeleton.ts).  dvidtools takes the first line as the skeleton's root.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.text_rows import format_rows
from dvidpc.formats.precomputed.skeleton import Skeleton
from dvidpc.formats.precomputed.transforms import Transform

RADIUS: Final = "radius"
_TYPES: Final = ("compartment", "vertex_types")
"""Attributes that hold SWC types: neuroglancer's documentation uses the first, cloud-volume the second."""
_ROW: Final = "%d %d %.6f %.6f %.6f %.6f %d\n"
_NO_PARENT = -1


def encode_swc(skeleton: Skeleton, transform: Transform, voxel_size_nm: tuple[float, float, float]) -> bytes:
    """Return a skeleton as SWC, in voxels of scale 0; parents come before their children.

    Each connected component becomes a tree of its own: an edge that closes a cycle is left out.

    Args:
        skeleton: The skeleton, in stored coordinates.
        transform: From stored coordinates to nanometers.
        voxel_size_nm: Size of a voxel of scale 0.

    Raises:
        FormatError: A position or radius is not finite.
    """
    order, parents = order_parents_first(len(skeleton.vertices), skeleton.edges)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        positions = transform.apply(skeleton.vertices.astype(np.float64)) / voxel_size_nm
        radii = _radii(skeleton.attributes, len(positions)) * transform.length_scale / voxel_size_nm[0]
    if not (np.isfinite(positions).all() and np.isfinite(radii).all()):
        raise FormatError("skeleton holds a position or radius that is not finite")
    types = _types(skeleton.attributes, len(positions))
    numbers = np.arange(1, len(order) + 1)
    table = np.column_stack([numbers, types[order], positions[order], radii[order], parents])
    return _header(voxel_size_nm).encode() + format_rows(_ROW, table)


def order_parents_first(num_vertices: int, edges: NDArray[np.uint32]) -> tuple[list[int], list[int]]:
    """Return the vertices breadth-first, and the parent of each.

    The root of a component is its vertex with the smallest number.

    Returns:
        The vertices in their new order; and for each, in that order, the position of its parent in it,
        counted from 1: -1 for a root.
    """
    starts, neighbours = _adjacency(num_vertices, edges)
    number = [0] * num_vertices
    order: list[int] = []
    parents: list[int] = []
    for root in range(num_vertices):
        if number[root]:
            continue
        order.append(root)
        parents.append(_NO_PARENT)
        number[root] = len(order)
        at = len(order) - 1
        while at < len(order):
            vertex = order[at]
            at += 1
            for neighbour in neighbours[starts[vertex] : starts[vertex + 1]]:
                if not number[neighbour]:
                    order.append(neighbour)
                    parents.append(at)
                    number[neighbour] = len(order)
    return order, parents


def _adjacency(num_vertices: int, edges: NDArray[np.uint32]) -> tuple[list[int], list[int]]:
    """Return where each vertex's neighbours start in a list, and that list."""
    ends = np.concatenate([edges, edges[:, ::-1]]).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=num_vertices))])
    return starts.tolist(), ends[np.argsort(ends[:, 0], kind="stable"), 1].tolist()


def _radii(attributes: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.float64]:
    """Return the radius of each vertex, in stored units; 0 if it has none, which some writers store as -1."""
    values = attributes.get(RADIUS)
    if values is None or values.shape[1] != 1:
        return np.zeros(count)
    return np.maximum(values[:, 0].astype(np.float64), 0)


def _types(attributes: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.int64]:
    """Return the SWC type of each vertex; 0, "undefined", without such an attribute."""
    for name in _TYPES:
        values = attributes.get(name)
        if values is not None and values.shape[1] == 1 and values.dtype.kind in "iu":
            types: NDArray[np.int64] = np.clip(values[:, 0], 0, 2**31 - 1).astype(np.int64)
            return types
    return np.zeros(count, np.int64)


def _header(voxel_size_nm: tuple[float, float, float]) -> str:
    size = " x ".join(f"{length:g}" for length in voxel_size_nm)
    header = f"# coordinates: voxels of {size} nm\n"
    if len(set(voxel_size_nm)) > 1:
        header += "# radius: in voxels along x; voxels are not cubes, so it is wrong along the other axes\n"
    return header
