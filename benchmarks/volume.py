"""The volume of the benchmarks: the demo's voxels, compressed as public EM volumes are."""

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorstore as ts

from dvidpc.demo import write_demo_volume

JPEG_QUALITY = 70
"""Makes chunks of about 45 kB, as in the public volumes of janelia.org; the demo's own have 75 kB."""


@dataclass(frozen=True)
class Volume:
    """A sharded JPEG volume in a directory, and where its chunks are."""

    path: Path
    blocks: list[tuple[int, int, int]]
    """Whole blocks of scale 0, in the order of their chunk ids."""
    edges: list[tuple[int, int, int]]
    """Blocks whose chunk is clipped along x."""
    parts: list[tuple[str, int, int]]
    """Key, start and stop of every block's chunk."""
    chunks: list[Path]
    """Some whole chunks as files."""
    edge_chunks: list[Path]

    @property
    def nbytes(self) -> int:
        """Bytes of the stored chunks of scale 0."""
        return sum(stop - start for _, start, stop in self.parts)


def prepare(directory: Path) -> Volume:
    """Return the volume below *directory*; write it on the first call."""
    path = directory / "volume"
    if not path.exists():
        _write(directory, path)
    scale = json.loads((path / "info").read_text())["scales"][0]
    cells = [-(-size // 64) for size in scale["size"]]
    places = _places(path / scale["key"], scale["key"], scale["sharding"])
    known = {_cell(chunk_id, cells): place for chunk_id, place in sorted(places.items())}
    whole = [
        cell for cell in known if all((g + 1) * 64 <= n for g, n in zip(cell, scale["size"], strict=True))
    ]
    edges = [
        cell
        for cell in known
        if cell[0] == cells[0] - 1 and cell[1] < cells[1] - 1 and cell[2] < cells[2] - 1
    ]
    return Volume(
        path,
        whole,
        edges,
        [known[cell] for cell in whole],
        [_extract(directory, path, known[cell]) for cell in whole[:32]],
        [_extract(directory, path, known[cell]) for cell in edges],
    )


def _write(directory: Path, path: Path) -> None:
    demo, unfinished = directory / "demo", directory / "unfinished"
    write_demo_volume(demo, lambda _share: None)
    scale = json.loads((demo / "info").read_text())["scales"][0]
    source, target = (
        {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{place}/"}}
        for place in (demo, unfinished)
    )
    voxels = ts.open(source).result().read().result()
    metadata = {
        "multiscale_metadata": {"type": "image", "data_type": "uint8", "num_channels": 1},
        "scale_metadata": {
            **{key: scale[key] for key in ("key", "size", "resolution", "encoding", "sharding")},
            "chunk_size": scale["chunk_sizes"][0],
            "jpeg_quality": JPEG_QUALITY,
        },
    }
    ts.open({**target, **metadata}, create=True).result().write(voxels).result()
    unfinished.rename(path)


def _places(directory: Path, key: str, sharding: dict[str, int]) -> dict[int, tuple[str, int, int]]:
    """Return where each chunk id lies, from all indexes of all shards."""
    base = 16 << sharding["minishard_bits"]
    places = {}
    for shard in directory.glob("*.shard"):
        data = shard.read_bytes()
        for start, stop in struct.iter_unpack("<2Q", data[:base]):
            if start == stop:
                continue
            index = np.frombuffer(gzip.decompress(data[base + start : base + stop]), "<u8").reshape(3, -1)
            ends = np.cumsum(index[1] + index[2]) + base
            for chunk_id, end, size in zip(np.cumsum(index[0]), ends, index[2], strict=True):
                places[int(chunk_id)] = (f"{key}/{shard.name}", int(end - size), int(end))
    return places


def _cell(chunk_id: int, cells: list[int]) -> tuple[int, int, int]:
    """Return the cell of a compressed Morton code."""
    cell = [0, 0, 0]
    position = 0
    for bit in range(max(cells).bit_length()):
        for axis in range(3):
            if 1 << bit < cells[axis]:
                cell[axis] |= (chunk_id >> position & 1) << bit
                position += 1
    return cell[0], cell[1], cell[2]


def _extract(directory: Path, volume: Path, place: tuple[str, int, int]) -> Path:
    key, start, stop = place
    file = directory / f"{key.replace('/', '_')}-{start}.jpg"
    file.write_bytes((volume / key).read_bytes()[start:stop])
    return file
