"""Writes the demo's synapses as precomputed annotations: a line for each connection of two neurites.

Each synapse lies where the tissue draws one: at a membrane, where activity is high. Its lines start at one
place in the neurite that sends, and end in the neurites that receive.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.fields import Axes, Floats

_SIDE: Final = 20
"""Voxels along the side of the cubes, of which each has one synapse at most."""
_ACTIVE: Final = 1.5
"""The activity above which the tissue has thick membranes."""
_LEAST_VOXELS: Final = 40
"""Voxels of a cube that a neurite needs to take part."""
_MOST_PARTNERS: Final = 4
_CELL: Final = 128
"""Voxels along the side of a cell of the spatial index."""
_STEPS: Final = 65
"""Places along a line at which the cells are looked up that it crosses."""
_ENDS: Final = ("pre_synaptic_cell", "post_synaptic_cell")


_Lists: TypeAlias = defaultdict[str, list[int]]
"""Numbers of connections, counted from 1, by the name of the list."""


class Connection(NamedTuple):
    """One neurite's connection to another, at one synapse."""

    start: tuple[int, int, int]
    """A voxel in the neurite that sends: x, y, z."""
    stop: tuple[int, int, int]
    """A voxel in the neurite that receives."""
    bodies: tuple[int, int]
    """The labels of the two neurites."""
    confidences: tuple[float, float]


def write_synapses(
    directory: Path,
    labels: NDArray[np.unsignedinteger],
    activity_at: Callable[[Axes], Floats],
    nm: float,
) -> None:
    """Write the synapses of tissue into a new *directory*.

    Args:
        directory: The collection's.
        labels: The neurite of each voxel, [z, y, x]; 0 is membrane.
        activity_at: Returns how active synapses are on a grid.
        nm: The size of a voxel.
    """
    connections = list(find_connections(labels, activity_at))
    spatial: _Lists = defaultdict(list)
    related: tuple[_Lists, _Lists] = defaultdict(list), defaultdict(list)
    for number, connection in enumerate(connections, 1):
        for cell in _cells(connection):
            spatial["_".join(map(str, cell))].append(number)
        for body, of_end in zip(connection.bodies, related, strict=True):
            of_end[str(body)].append(number)
    directory.mkdir(parents=True)
    for name, lists in (("spatial0", spatial), *zip(_ENDS, related, strict=True)):
        (directory / name).mkdir()
        for key, numbers in lists.items():
            (directory / name / key).write_bytes(_encode_list(connections, numbers))
    (directory / "by_id").mkdir()
    for number, connection in enumerate(connections, 1):
        related_ids = b"".join(struct.pack("<IQ", 1, body) for body in connection.bodies)
        (directory / "by_id" / f"{number}").write_bytes(_encode(connection) + related_ids)
    size = labels.shape[::-1]
    most = max(map(len, spatial.values()), default=1)
    (directory / "info").write_text(json.dumps(_info(size, nm, most)))


def find_connections(
    labels: NDArray[np.unsignedinteger], activity_at: Callable[[Axes], Floats]
) -> Iterator[Connection]:
    """Yield the connections of tissue; arguments as for `write_synapses`."""
    middles = [np.arange(_SIDE // 2, n - _SIDE // 2 + 1, _SIDE) for n in labels.shape]
    if not all(map(len, middles)):
        return
    activity = activity_at(middles)
    for index in np.argwhere(activity > _ACTIVE):
        corner = np.array([axis[i] for axis, i in zip(middles, index, strict=True)]) - _SIDE // 2
        cube = labels[tuple(slice(start, start + _SIDE) for start in corner)]
        found, counts = np.unique(cube[cube > 0], return_counts=True)
        found = found[np.argsort(-counts, kind="stable")][: np.count_nonzero(counts >= _LEAST_VOXELS)]
        if len(found) < 2:
            continue
        sender, *receivers = found[: _MOST_PARTNERS + 1].tolist()
        start = _nearest(cube, sender, np.full(3, _SIDE // 2))
        for receiver in receivers:
            stop = _nearest(cube, receiver, start)
            distance = float(np.linalg.norm(stop - start))
            yield Connection(
                _xyz(corner + start),
                _xyz(corner + stop),
                (sender, receiver),
                (min(1.0, float(activity[tuple(index)]) / 3), round(4 / (4 + distance), 3)),
            )


def _nearest(cube: NDArray[np.unsignedinteger], label: int, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the voxel of *label* that is nearest to *place*; both in the cube, z, y, x."""
    voxels = np.argwhere(cube == label)
    nearest: NDArray[np.int64] = voxels[((voxels - place) ** 2).sum(axis=1).argmin()]
    return nearest


def _xyz(zyx: NDArray[np.int64]) -> tuple[int, int, int]:
    z, y, x = zyx.tolist()
    return x, y, z


def _cells(connection: Connection) -> set[tuple[int, ...]]:
    """Return the cells of the spatial index that a line crosses."""
    start, stop = np.array(connection.start), np.array(connection.stop)
    places = start + np.linspace(0, 1, _STEPS)[:, None] * (stop - start)
    return set(map(tuple, np.floor(places / _CELL).astype(int).tolist()))


def _encode_list(connections: list[Connection], numbers: list[int]) -> bytes:
    records = b"".join(_encode(connections[number - 1]) for number in numbers)
    return struct.pack("<Q", len(numbers)) + records + struct.pack(f"<{len(numbers)}Q", *numbers)


def _encode(connection: Connection) -> bytes:
    return struct.pack("<8f", *connection.start, *connection.stop, *connection.confidences)


def _info(size: tuple[int, ...], nm: float, most: int) -> dict[str, object]:
    properties = [
        {"id": f"{side}_synaptic_confidence", "type": "float32", "description": "0 to 1"}
        for side in ("pre", "post")
    ]
    return {
        "@type": "neuroglancer_annotations_v1",
        "dimensions": {axis: [nm * 1e-9, "m"] for axis in "xyz"},
        "lower_bound": [0, 0, 0],
        "upper_bound": size,
        "annotation_type": "LINE",
        "properties": properties,
        "relationships": [{"id": name, "key": name} for name in _ENDS],
        "by_id": {"key": "by_id"},
        "spatial": [
            {
                "key": "spatial0",
                "grid_shape": [-(-n // _CELL) for n in size],
                "chunk_size": [_CELL] * 3,
                "limit": most,
            }
        ],
    }
