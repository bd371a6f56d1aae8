"""Reads arrays of a directory with `formats/arrays` alone: no store, no event loop."""

from pathlib import Path

import numpy as np

from dvidpc.formats.arrays.bundle import Documents, decode_bundle, encode_bundle
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.dialects import ArrayFormat, describe_volume, wanted_documents
from dvidpc.formats.arrays.levels import ArrayLevel, ArrayVolume
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.shard_index import ShardIndex, decode_shard_index
from dvidpc.formats.data_types import Voxels
from dvidpc.types import ChunkCoord

PLAIN = ArraySelection()


def read_documents(kind: ArrayFormat, directory: Path, selection: ArraySelection = PLAIN) -> Documents:
    """Read the documents that describe a volume."""
    known: dict[str, bytes | None] = {}
    for _ in range(20):
        wanted = wanted_documents(kind, known, selection)
        if not wanted:
            return decode_bundle(encode_bundle(known))
        for name in wanted:
            assert name not in known
            file = directory / name
            known[name] = file.read_bytes() if file.is_file() else None
    raise AssertionError("it never has enough documents")


def open_volume(kind: ArrayFormat, directory: Path, selection: ArraySelection = PLAIN) -> ArrayVolume:
    """Read what describes a volume."""
    return describe_volume(kind, read_documents(kind, directory, selection), selection)


def read_level(level: ArrayLevel, directory: Path, channel: int = 0) -> Voxels:
    """Return all voxels of a level as clients see them, `[z, y, x]`; 0 where no chunk says otherwise."""
    view = ChunkView(level, channel)
    x, y, z = level.grid.size
    voxels = np.zeros((z, y, x), level.spec.dtype)
    indexes: dict[str, ShardIndex] = {}
    for cell in level.grid.chunks_touching(level.grid.box):
        part = read_chunk(view, directory / level.path, cell, indexes)
        if part is not None:
            start = [a - o for a, o in zip(level.grid.chunk_box(cell).start, level.grid.offset, strict=True)]
            place = tuple(slice(a, a + n) for a, n in zip(reversed(start), part.shape[1:], strict=True))
            voxels[place] = part[0]
    return voxels


def read_chunk(
    view: ChunkView, directory: Path, cell: ChunkCoord, indexes: dict[str, ShardIndex]
) -> Voxels | None:
    """Return a chunk, or the fill value in its place; None if it is not stored and the fill value is 0."""
    spec = view.level.spec
    file = directory / view.key(cell)
    if not file.is_file():
        return view.absent(cell)
    data = file.read_bytes()
    if spec.shard is not None:
        name = view.key(cell)
        if name not in indexes:
            size = spec.shard.index_size
            found = data[:size] if spec.shard.is_index_at_start else data[-size:]
            indexes[name] = decode_shard_index(found, spec.shard)
        where = view.find(indexes[name], cell)
        if where is None:
            return view.absent(cell)
        data = data[where.start : where.stop]
    assert len(data) <= spec.max_encoded_size
    return view.decode(cell, data)
