"""Writes annotation collections for tests, and knows by brute force what DVID answers of them.

Nothing of dvidpc is used here. Shards are written by tensorstore.
"""

import itertools
import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorstore as ts
from cloudvolume.datasource.precomputed.common import compressed_morton_code

Point3 = tuple[float, ...]
Voxel = tuple[int, int, int]
Cell = tuple[int, ...]
Element = dict[str, Any]

IDENTITY = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "identity",
    "minishard_bits": 1,
    "shard_bits": 1,
}
MURMUR = {
    **IDENTITY,
    "preshift_bits": 1,
    "hash": "murmurhash3_x86_128",
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}
_FORMATS = {
    "uint8": "B",
    "int8": "b",
    "bool": "B",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "rgb": "3B",
    "rgba": "4B",
}
_ALIGNMENTS = {"float32": 4, "int32": 4, "uint32": 4, "int16": 2, "uint16": 2}
_WORDS = {("PreSyn", "PostSyn"): "PreSynTo", ("PostSyn", "PreSyn"): "PostSynTo"}
_KIND_ORDER = ("Unknown", "PostSyn", "PreSyn", "Gap", "Note")
_BLOCK = 64


@dataclass(frozen=True)
class Note:
    """One annotation. Positions are in stored units, along the stored axes."""

    id: int
    points: Sequence[Point3]
    """Of a point; A and B of a line or box; centre and radii of an ellipsoid; vertices of a polyline."""
    voxels: Sequence[Voxel] = ()
    """The voxel of each end, as whoever made the annotation means it: x, y, z."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By property; a missing one is 0."""
    related: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By relationship."""


@dataclass(frozen=True)
class Grid:
    """One level of the spatial index."""

    shape: tuple[int, int, int]
    chunk_size: Point3


@dataclass(frozen=True)
class Table:
    """A collection to write."""

    kind: str
    notes: Sequence[Note]
    properties: Sequence[Mapping[str, Any]] = ()
    relationships: Sequence[str] = ()
    grids: Sequence[Grid] = (Grid((1, 1, 1), (1000, 1000, 1000)),)
    origin: Point3 = (0, 0, 0)
    upper: Point3 = (1000, 1000, 1000)
    dimensions: Mapping[str, tuple[float, str]] = field(
        default_factory=lambda: dict.fromkeys("xyz", (8, "nm"))
    )
    sharding: Mapping[str, Any] | None = None
    """Of all indexes alike."""

    @property
    def info(self) -> dict[str, Any]:
        """The `info` file."""
        sharding = {} if self.sharding is None else {"sharding": self.sharding}
        return {
            "@type": "neuroglancer_annotations_v1",
            "dimensions": {name: list(entry) for name, entry in self.dimensions.items()},
            "lower_bound": list(self.origin),
            "upper_bound": list(self.upper),
            "annotation_type": self.kind,
            "properties": list(self.properties),
            "relationships": [{"id": name, "key": f"rel_{name}", **sharding} for name in self.relationships],
            "by_id": {"key": "by_id", **sharding},
            "spatial": [
                {
                    "key": f"spatial{level}",
                    "grid_shape": list(grid.shape),
                    "chunk_size": list(grid.chunk_size),
                    "limit": 1000,
                    **sharding,
                }
                for level, grid in enumerate(self.grids)
            ],
        }

    def encode(self, note: Note) -> bytes:
        """Encode an annotation as in a list: geometry, then properties in their groups."""
        flat = [float(number) for point in note.points for number in point]
        head = struct.pack(f"<{len(flat)}f", *flat)
        used = len(head)
        if self.kind.lower() == "polyline":
            head, used = struct.pack("<I", len(note.points)) + head, 4 + 2 * 12
        groups = [bytearray(used)]
        for each in sorted(self.properties, key=lambda each: -_ALIGNMENTS.get(each["type"], 1)):
            value = note.values.get(each["id"], 0)
            values = value if isinstance(value, tuple) else (value,) * (3 if each["type"] == "rgb" else 1)
            values = values * 4 if each["type"] == "rgba" and len(values) == 1 else values
            data = struct.pack("<" + _FORMATS[each["type"]], *values)
            groups[-1] += bytes(-len(groups[-1]) % _ALIGNMENTS.get(each["type"], 1))
            if -(-(len(groups[-1]) + len(data)) // 4) * 4 > 255:
                groups.append(bytearray())
            groups[-1] += data
        tail = b"".join(bytes(group) + bytes(-len(group) % 4) for group in groups)
        return head + tail[used:]

    def encode_list(self, notes: Sequence[Note]) -> bytes:
        """Encode a list of annotations."""
        records = b"".join(map(self.encode, notes))
        ids = struct.pack(f"<{len(notes)}Q", *(note.id for note in notes))
        return struct.pack("<Q", len(notes)) + records + ids

    def encode_single(self, note: Note) -> bytes:
        """Encode an annotation as in the index by id."""
        related = b""
        for name in self.relationships:
            ids = note.related.get(name, ())
            related += struct.pack(f"<I{len(ids)}Q", len(ids), *ids)
        return self.encode(note) + related


Lists = Mapping[int, Mapping[Cell, Sequence[Note]]]
"""The annotations of the cells of each level."""
Touch = Callable[[str, Note, np.ndarray, np.ndarray], bool]


def _slab(start: np.ndarray, stop: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether a segment touches a closed box."""
    direction = stop - start
    first, last = 0.0, 1.0
    for at, step, bottom, top in zip(start, direction, low, high, strict=True):
        if step == 0:
            if not bottom <= at <= top:
                return False
            continue
        near, far = sorted(((bottom - at) / step, (top - at) / step))
        first, last = max(first, near), min(last, far)
    return first <= last


def touches(kind: str, note: Note, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether an annotation intersects a closed box."""
    points = np.array(note.points, np.float64)
    match kind.lower():
        case "line" | "polyline":
            pairs = itertools.pairwise(points) if len(points) > 1 else [(points[0], points[0])]
            return any(_slab(a, b, low, high) for a, b in pairs)
        case "ellipsoid":
            start, stop = points[0] - abs(points[1]), points[0] + abs(points[1])
        case _:
            start, stop = points.min(axis=0), points.max(axis=0)
    return bool((start <= high).all() and (stop >= low).all())


def touches_main_diagonal(kind: str, note: Note, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether a cell is on the main diagonal of a line's box, whatever way the line goes: a known mistake."""
    assert kind == "line"
    points = np.array(note.points, np.float64)
    return _slab(points.min(axis=0), points.max(axis=0), low, high)


def list_cells(table: Table, levels: Mapping[int, int], touch: Touch = touches) -> Lists:
    """Return which annotations each cell of each level lists.

    Args:
        table: The collection.
        levels: The level of each annotation, by id.
        touch: Whether an annotation belongs into a cell.
    """
    lists: dict[int, dict[Cell, list[Note]]] = {level: defaultdict(list) for level in range(len(table.grids))}
    for note in table.notes:
        grid = table.grids[levels[note.id]]
        found = list(_cells_of(table, grid, note, touch))
        for cell in found[:1] if table.kind.lower() == "point" else found:
            lists[levels[note.id]][cell].append(note)
    return lists


def _cells_of(table: Table, grid: Grid, note: Note, touch: Touch) -> Iterator[Cell]:
    """The cells of a grid that an annotation is in; a point on a border is in the upper one."""
    if table.kind.lower() == "point":
        at = (np.array(note.points[0]) - table.origin) // np.array(grid.chunk_size)
        yield tuple(np.clip(at, 0, np.array(grid.shape) - 1).astype(int).tolist())
        return
    origin, size, shape = (np.array(each, np.float64) for each in (table.origin, grid.chunk_size, grid.shape))
    points = np.array(note.points, np.float64)
    reach = abs(points[1]) if table.kind.lower() == "ellipsoid" else 0
    first = np.clip((points.min(axis=0) - reach - origin) // size - 1, 0, shape - 1).astype(int)
    last = np.clip((points.max(axis=0) + reach - origin) // size + 1, 0, shape - 1).astype(int)
    for cell in itertools.product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
        at = np.array(cell)
        low, high = origin + at * size, origin + (at + 1) * size
        low[at == 0], high[at == shape - 1] = -np.inf, np.inf
        if touch(table.kind, note, low, high):
            yield cell


def write_table(table: Table, lists: Lists | None = None, directory: str = "syn") -> dict[str, bytes]:
    """Return the objects of a collection.

    Args:
        table: What to write.
        lists: The spatial index; None: everything is in the first level, or in none if there is none.
        directory: Where it lies.
    """
    if lists is None:
        lists = list_cells(table, {note.id: 0 for note in table.notes}) if table.grids else {}
    objects = {f"{directory}/info": json.dumps(table.info).encode()}
    for level, cells in lists.items():
        shape = np.array(table.grids[level].shape)
        keyed = {
            ("_".join(map(str, cell)), int(compressed_morton_code(np.array(cell), shape))): table.encode_list(
                notes
            )
            for cell, notes in cells.items()
        }
        objects |= store_values(f"{directory}/spatial{level}", keyed, table.sharding)
    for name in table.relationships:
        by_object: dict[int, list[Note]] = defaultdict(list)
        for note in table.notes:
            for object_id in note.related.get(name, ()):
                by_object[object_id].append(note)
        keyed = {(str(key), key): table.encode_list(notes) for key, notes in by_object.items()}
        objects |= store_values(f"{directory}/rel_{name}", keyed, table.sharding)
    keyed = {(str(note.id), note.id): table.encode_single(note) for note in table.notes}
    return objects | store_values(f"{directory}/by_id", keyed, table.sharding)


def store_values(
    directory: str, values: Mapping[tuple[str, int], bytes], sharding: Mapping[str, Any] | None
) -> dict[str, bytes]:
    """Return the objects of one index; keys are the name of an object and the number in a shard."""
    if sharding is None:
        return {f"{directory}/{name}": data for (name, _), data in values.items()}
    context = ts.Context()
    below = {"driver": "memory", "path": f"{directory}/"}
    base = ts.KvStore.open(below, context=context).result()
    shards = ts.KvStore.open(
        {"driver": "neuroglancer_uint64_sharded", "base": below, "metadata": dict(sharding)}, context=context
    ).result()
    with ts.Transaction() as transaction:
        for (_, number), data in values.items():
            shards.with_transaction(transaction).write(struct.pack(">Q", number), data).result()
    return {f"{directory}/{key.decode()}": base.read(key).result().value for key in base.list().result()}


@dataclass(frozen=True)
class Meaning:
    """What a test knows of a collection."""

    kinds: Sequence[str] = ("PreSyn", "PostSyn")
    """Of each end."""
    members: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """By property: the key in `Prop`, and the end that shows it; None: both."""
    text: Callable[[str, Any], str] = field(default=lambda _, value: f"{value:g}")
    """Returns the text of a property's value."""


def expected(
    notes: Sequence[Note],
    meaning: Meaning,
    chosen: Callable[[Note, int, Voxel], bool],
    *,
    with_relationships: bool = True,
) -> list[Element]:
    """Return the elements that the chosen ends are, in DVID's order."""
    groups: dict[tuple[Voxel, str], list[tuple[Note, int]]] = defaultdict(list)
    for note in notes:
        for end, voxel in enumerate(note.voxels):
            if chosen(note, end, voxel):
                groups[voxel, meaning.kinds[end]].append((note, end))
    return [
        _element(voxel, kind, groups[voxel, kind], meaning, with_relationships=with_relationships)
        for voxel, kind in sorted(groups, key=lambda key: (*key[0][::-1], _KIND_ORDER.index(key[1])))
    ]


def _element(
    voxel: Voxel,
    kind: str,
    members: Sequence[tuple[Note, int]],
    meaning: Meaning,
    *,
    with_relationships: bool,
) -> Element:
    props = {}
    for prop, (name, shown) in meaning.members.items():
        texts = {
            meaning.text(prop, note.values.get(prop, 0)) for note, end in members if shown in {None, end}
        }
        if len(texts) == 1:
            props[name] = texts.pop()
    element: Element = {"Pos": list(voxel), "Kind": kind, "Tags": [], "Prop": dict(sorted(props.items()))}
    if with_relationships:
        partners = {
            (note.voxels[1 - end][::-1], _WORDS.get((kind, meaning.kinds[1 - end]), "GroupedWith"))
            for note, end in members
            if len(note.voxels) > 1
        }
        element["Rels"] = [{"Rel": word, "To": list(zyx[::-1])} for zyx, word in sorted(partners)]
    return element


def by_block(elements: Sequence[Element]) -> dict[str, list[Element]]:
    """Return elements by block, blocks sorted by z, y and x."""
    blocks: dict[Voxel, list[Element]] = defaultdict(list)
    for element in elements:
        x, y, z = (at // _BLOCK for at in element["Pos"])
        blocks[z, y, x].append(element)
    return {f"{x},{y},{z}": blocks[z, y, x] for z, y, x in sorted(blocks)}
