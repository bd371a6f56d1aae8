"""Writes what lies beside the demo's segmentation: properties of all neurites, a few meshes and skeletons."""

import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_NUM_BODIES = 12
"""How many neurites, the largest ones, have a mesh and a skeleton."""
_STRIDE = 2
"""Skeletons are made of every second voxel along each axis."""
_LAYERS_PER_NODE = 2
_SKELETONS: dict[str, object] = {
    "@type": "neuroglancer_skeletons",
    "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    "vertex_attributes": [{"id": "radius", "data_type": "float32", "num_components": 1}],
}


def write_shapes(directory: Path, labels: NDArray[np.unsignedinteger], resolution_nm: int) -> None:
    """Write meshes, skeletons and properties of *labels*, and name them in the `info`.

    Args:
        directory: Of the segmentation, whose `info` exists.
        labels: A coarse scale of it, [z, y, x].
        resolution_nm: The size of its voxels.
    """
    ids, counts = np.unique(labels[labels > 0], return_counts=True)
    _write_document(directory / "mesh", {"@type": "neuroglancer_legacy_mesh"})
    _write_document(directory / "skeletons", _SKELETONS)
    for body in ids[np.argsort(counts)[::-1][:_NUM_BODIES]]:
        inside = labels == body
        manifest = json.dumps({"fragments": [f"{body}"]})
        (directory / "mesh" / f"{body}:0").write_text(manifest)
        (directory / "mesh" / f"{body}").write_bytes(encode_surface(inside, resolution_nm))
        centreline = encode_centreline(inside, resolution_nm)
        if centreline is not None:
            (directory / "skeletons" / f"{body}").write_bytes(centreline)
    _write_document(directory / "segment_properties", _properties(ids, counts))
    names = {name: name for name in ("mesh", "skeletons", "segment_properties")}
    info = json.loads((directory / "info").read_text())
    (directory / "info").write_text(json.dumps(info | names))


def _write_document(directory: Path, document: dict[str, object]) -> None:
    directory.mkdir()
    (directory / "info").write_text(json.dumps(document))


def _properties(ids: NDArray[np.unsignedinteger], counts: NDArray[np.int64]) -> dict[str, object]:
    properties = [
        {"id": "label", "type": "label", "values": [f"neurite {body}" for body in ids]},
        {"id": "size", "type": "number", "data_type": "uint32", "values": counts.tolist()},
    ]
    inline = {"ids": [str(body) for body in ids], "properties": properties}
    return {"@type": "neuroglancer_segment_properties", "inline": inline}


def encode_surface(inside: NDArray[np.bool_], resolution_nm: float) -> bytes:
    """Return the surface of a body, [z, y, x], as a fragment of a legacy mesh, in nanometers.

    Its vertices are the corners of the faces between inside and outside, moved to the mean of their faces.
    """
    corners, indexes = np.unique(_faces(inside).reshape(-1, 3), axis=0, return_inverse=True)
    faces = indexes.reshape(-1, 4)
    middles = np.repeat(corners[faces].mean(axis=1), 4, axis=0)
    near = np.bincount(faces.ravel())
    vertices = np.column_stack([np.bincount(faces.ravel(), middles[:, axis]) / near for axis in (2, 1, 0)])
    triangles = faces[:, [0, 1, 2, 0, 2, 3]].astype("<u4").tobytes()
    positions = (vertices * resolution_nm).astype("<f4").tobytes()
    return struct.pack("<I", len(vertices)) + positions + triangles


def _faces(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the corners of each face, [face, 4, zyx], counterclockwise as seen from outside."""
    padded = np.pad(inside, 1).astype(np.int8)
    found = []
    for axis in range(3):
        u, v = (other for other in range(3) if other != axis)
        around = np.zeros((4, 3), np.int64)
        around[1:3, u] = around[2:, v] = 1
        steps = np.diff(padded, axis=axis)
        for step in (1, -1):
            firsts = np.argwhere(steps == step)
            firsts[:, [u, v]] -= 1
            is_reversed = (step < 0) == (axis != 1)
            found.append(firsts[:, None] + (around[::-1] if is_reversed else around))
    return np.concatenate(found)


def encode_centreline(inside: NDArray[np.bool_], resolution_nm: float) -> bytes | None:
    """Return a path through a body, [z, y, x], as a skeleton in nanometers; None if there is no body.

    Starting from an end of the body, its nodes are the middles of the layers that are equally far away.
    """
    layers = _layers(inside[::_STRIDE, ::_STRIDE, ::_STRIDE])[::_LAYERS_PER_NODE]
    if not layers:
        return None
    nodes = np.array([layer[((layer - layer.mean(axis=0)) ** 2).sum(axis=1).argmin()] for layer in layers])
    radii = np.sqrt([len(layer) / np.pi for layer in layers]).astype(np.float32)
    edges = np.column_stack([np.arange(len(nodes) - 1), np.arange(1, len(nodes))])
    return (
        struct.pack("<II", len(nodes), len(edges))
        + ((nodes[:, ::-1] * _STRIDE + 0.5) * resolution_nm).astype("<f4").tobytes()
        + edges.astype("<u4").tobytes()
        + (radii * _STRIDE * resolution_nm).astype("<f4").tobytes()
    )


def _layers(inside: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the voxels, [n, zyx], at each distance from an end of a body's longest piece."""
    voxels = np.argwhere(inside)
    if not len(voxels):
        return []
    low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
    unreached = np.pad(inside[tuple(map(slice, low, high))], 1)
    middle = voxels.mean(axis=0) - low + 1
    pieces = []
    while unreached.any():
        voxels = np.argwhere(unreached)
        start = voxels[((voxels - middle) ** 2).sum(axis=1).argmax()]
        pieces.append(_spread(unreached, start))
    return [layer + low - 1 for layer in max(pieces, key=len)]


def _spread(unreached: NDArray[np.bool_], start: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the voxels at each distance from *start*, and remove them from *unreached*."""
    layer = np.zeros_like(unreached)
    layer[tuple(start)] = True
    layers = []
    while layer.any():
        layers.append(np.argwhere(layer))
        unreached &= ~layer
        steps = [np.roll(layer, step, axis) for axis in range(3) for step in (1, -1)]
        layer = np.logical_or.reduce(steps) & unreached
    return layers
