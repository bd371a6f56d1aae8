"""Random arrays of zarr v2, zarr v3 and N5, written by tensorstore, zarr-python and z5py.

All lists are in the order of the array's own dimensions: for N5 fastest first.
"""

import itertools
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import tensorstore as ts
import z5py
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.zarr_python import numcodecs, zarr

Voxels = NDArray[Any]
Ints = tuple[int, ...]

DATA_TYPES: Final = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
)
AXES: Final = ("zyx", "xyz", "zxy", "yx", "czyx", "cxyz", "tczyx", "zyxc")
COMPRESSIONS: Final = {
    "zarr2": ("raw", "zlib", "gzip", "zstd", "blosc", "bz2", "lz4", "lzma"),
    "zarr3": ("raw", "gzip", "zstd", "blosc", "crc32c", "zstd+crc32c", "crc32c+gzip", "gzip+zstd"),
    "n5": ("raw", "gzip", "zlib", "bzip2", "xz", "blosc", "zstd", "lz4"),
}
BLOSC: Final = ("lz4", "lz4hc", "blosclz", "zstd", "zlib")
WRITERS: Final = {
    "zarr2": ("tensorstore", "zarr"),
    "zarr3": ("tensorstore", "zarr"),
    "n5": ("tensorstore", "z5py"),
}


@dataclass(frozen=True)
class DrawnArray:
    """An array to write."""

    format: str
    writer: str
    data_type: str
    axes: str
    shape: Ints
    chunk: Ints
    """Of a chunk; of an inner chunk if *shard* is set."""
    compression: str
    blosc: tuple[str, int] = ("lz4", 1)
    """Compressor and shuffle: 0 none, 1 bytes, 2 bits."""
    is_big_endian: bool = False
    is_fortran: bool = False
    """zarr v2: the order inside chunks."""
    transposes: tuple[Ints, ...] = ()
    """zarr v3: applied to a chunk, one after the other."""
    shard: Ints | None = None
    """How many inner chunks a shard has along each dimension; None: not sharded."""
    is_index_at_start: bool = False
    has_index_checksum: bool = True
    outer_transpose: Ints | None = None
    """zarr v3: applied to a shard before it is cut; only tensorstore writes it."""
    keys: str = "/"
    """What separates numbers in names of chunks."""
    has_v2_keys: bool = False
    """zarr v3: whether names of chunks are those of v2, without `c`."""
    fill: float | None = 0
    holes: frozenset[int] = frozenset()
    """Numbers of the chunks that hold nothing but the fill value, so that writers leave them out."""
    offset: tuple[int, int, int] = (0, 0, 0)
    """First voxel along x, y and z."""
    seed: int = 0

    @property
    def outer_chunk(self) -> Ints:
        """Extent of an object."""
        if self.shard is None:
            return self.chunk
        return tuple(c * n for c, n in zip(self.chunk, self.shard, strict=True))

    @property
    def fill_voxel(self) -> np.generic:
        """The value of voxels that are not stored."""
        (voxel,) = np.array([self.fill or 0], self.data_type)
        return cast("np.generic", voxel)


@dataclass
class WrittenArray:
    """An array in a directory, and what it holds."""

    drawn: DrawnArray
    directory: Path
    voxels: Voxels
    """In the order of the array's dimensions."""

    def zyx(self, channel: int = 0) -> Voxels:
        """Return one channel as `[z, y, x]`, at position 0 of time."""
        axes = self.drawn.axes
        at = {"c": channel, "t": 0}
        picked = self.voxels[tuple(at.get(name, slice(None)) for name in axes)]
        left = [name for name in axes if name not in at]
        order = [left.index(name) for name in "zyx" if name in left]
        zyx = picked.transpose(order)
        return zyx if "z" in left else zyx[np.newaxis]

    @property
    def num_channels(self) -> int:
        """Extent of the channel axis."""
        return self.drawn.shape[self.drawn.axes.index("c")] if "c" in self.drawn.axes else 1


@st.composite
def drawn_arrays(draw: st.DrawFn, formats: tuple[str, ...] = ("zarr2", "zarr3", "n5")) -> DrawnArray:
    """Draw a small array of any kind that some library writes."""
    kind = draw(st.sampled_from(formats))
    writer = draw(st.sampled_from(WRITERS[kind]))
    data_type = draw(st.sampled_from(DATA_TYPES))
    axes = draw(st.sampled_from(AXES))
    if kind == "n5":
        axes = axes[::-1]
    size = {"t": st.just(1), "c": st.integers(1, 3)}
    shape = tuple(draw(size.get(name, st.integers(1, 40))) for name in axes)
    chunk = tuple(draw(st.sampled_from([n, -(-n // 2), max(1, n // 3), n + 3])) for n in shape)
    if kind == "n5":
        chunk = tuple(map(min, chunk, shape))
    compression = draw(st.sampled_from(COMPRESSIONS[kind]))
    is_sharded = kind == "zarr3" and draw(st.booleans())
    transposed = draw(st.lists(st.permutations(range(len(axes))), max_size=2)) if kind == "zarr3" else []
    outer = draw(st.none() | st.permutations(range(len(axes)))) if is_sharded else None
    drawn = DrawnArray(
        format=kind,
        writer=writer,
        data_type=data_type,
        axes=axes,
        shape=shape,
        chunk=chunk,
        compression=compression,
        blosc=(draw(st.sampled_from(BLOSC)), draw(st.integers(0, 2))),
        is_big_endian=draw(st.booleans()),
        is_fortran=draw(st.booleans()),
        transposes=tuple(map(tuple, transposed)),
        shard=tuple(draw(st.integers(1, 3)) for _ in axes) if is_sharded else None,
        is_index_at_start=draw(st.booleans()),
        has_index_checksum=draw(st.booleans()),
        outer_transpose=tuple(outer) if outer and writer == "tensorstore" else None,
        keys="/" if kind == "n5" else draw(st.sampled_from("./")),
        has_v2_keys=draw(st.booleans()),
        fill=None if kind == "n5" else draw(_fills(data_type)),
        holes=draw(st.frozensets(st.integers(0, 40), max_size=12)),
        offset=draw(st.tuples(*(st.sampled_from([0, 0, 5, -7, 64, 1000]),) * 3)),
        seed=draw(st.integers(0, 100)),
    )
    return as_written(drawn)


def _fills(data_type: str) -> st.SearchStrategy[float | None]:
    if data_type == "float32":
        return st.sampled_from([0.0, 1.5, float("nan"), float("inf"), float("-inf")])
    limits = np.iinfo(data_type)
    return st.sampled_from([0, 0, 7, int(limits.max), int(limits.min)])


def as_written(drawn: DrawnArray) -> DrawnArray:
    """Return an array as some library writes it: others write what tensorstore refuses."""
    if drawn.format == "zarr2" and drawn.compression in ("lz4", "lzma"):
        return replace(drawn, writer="zarr")
    if drawn.format == "n5" and drawn.compression == "zlib":
        return replace(drawn, writer="hand")
    if drawn.format == "n5" and drawn.compression == "lz4":
        return replace(drawn, writer="z5py")
    return drawn


def matrix() -> Iterator[DrawnArray]:
    """Yield one array for each format, writer, compression and data type, its other traits in turn."""
    axes = itertools.cycle(AXES)
    bloscs = itertools.cycle(itertools.product(BLOSC, range(3)))
    flags = itertools.cycle(itertools.product((False, True), repeat=4))
    seeds = itertools.count()
    for kind in WRITERS:
        for writer, compression in itertools.product(WRITERS[kind], COMPRESSIONS[kind]):
            for data_type in DATA_TYPES:
                a, b, c, d = next(flags)
                names = next(axes)[::-1] if kind == "n5" else next(axes)
                shape = tuple({"t": 1, "c": 2, "x": 37, "y": 20, "z": 9}[name] for name in names)
                is_sharded = kind == "zarr3" and a
                yield as_written(
                    DrawnArray(
                        format=kind,
                        writer=writer,
                        data_type=data_type,
                        axes=names,
                        shape=shape,
                        chunk=tuple(min(n, 16 if n > 16 else 4) for n in shape),
                        compression=compression,
                        blosc=next(bloscs),
                        is_big_endian=b,
                        is_fortran=c,
                        transposes=(tuple(reversed(range(len(shape)))),) if c else (),
                        shard=tuple(1 + (n > 16) for n in shape) if is_sharded else None,
                        is_index_at_start=b,
                        has_index_checksum=c or d,
                        keys="/" if kind == "n5" or d else ".",
                        has_v2_keys=c,
                        fill=None if kind == "n5" else (0, 7)[d],
                        holes=frozenset({0, 3}),
                        offset=(0, -7, 5) if b else (0, 0, 0),
                        seed=next(seeds),
                    )
                )


def write_array(drawn: DrawnArray, directory: Path, voxels: Voxels | None = None) -> WrittenArray:
    """Write an array with the documents that name its axes; *voxels* are drawn if they are not given."""
    voxels = draw_voxels(drawn) if voxels is None else voxels
    _WRITE[drawn.format, drawn.writer](drawn, directory, voxels)
    _name_axes(drawn, directory)
    return WrittenArray(drawn, directory, voxels)


def draw_voxels(drawn: DrawnArray) -> Voxels:
    """Return voxels of few values, so that they compress, with the fill value in some chunks."""
    random = np.random.default_rng(drawn.seed)
    few = random.integers(0, 100, 16)
    voxels = few[random.integers(0, 16, drawn.shape)].astype(drawn.data_type)
    cells = np.ndindex(*(-(-n // c) for n, c in zip(drawn.shape, drawn.chunk, strict=True)))
    for number, cell in enumerate(cells):
        if number in drawn.holes:
            box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(cell, drawn.chunk, strict=True))
            voxels[box] = drawn.fill_voxel
    return voxels


def read_by_tensorstore(written: WrittenArray) -> Voxels:
    """Return what tensorstore reads."""
    return _open_tensorstore(written.drawn.format, written.directory)


def _open_tensorstore(kind: str, directory: Path) -> Voxels:
    driver = {"zarr2": "zarr", "zarr3": "zarr3", "n5": "n5"}[kind]
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{directory}/"}}
    return np.asarray(ts.open(spec, open=True).result().read().result())


def _create_tensorstore(driver: str, directory: Path, metadata: dict[str, Any], voxels: Voxels) -> None:
    spec = {
        "driver": driver,
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "metadata": metadata,
    }
    store = ts.open(spec, create=True).result()
    store[...].write(voxels).result()


def _typestr(drawn: DrawnArray) -> str:
    return np.dtype(drawn.data_type).newbyteorder(">" if drawn.is_big_endian else "<").str


def _zarr2_by_tensorstore(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    metadata = {
        "shape": drawn.shape,
        "chunks": drawn.chunk,
        "dtype": _typestr(drawn),
        "compressor": _zarr2_compressor(drawn),
        "fill_value": _fill_in_json(drawn.fill),
        "order": "F" if drawn.is_fortran else "C",
        "filters": None,
        "dimension_separator": drawn.keys,
        "zarr_format": 2,
    }
    _create_tensorstore("zarr", directory, metadata, voxels)


def _fill_in_json(fill: float | None) -> float | str | None:
    if isinstance(fill, float) and not np.isfinite(fill):
        return "NaN" if np.isnan(fill) else "Infinity" if fill > 0 else "-Infinity"
    return fill


def _zarr2_compressor(drawn: DrawnArray) -> dict[str, Any] | None:
    name, shuffle = drawn.blosc
    return {
        "raw": None,
        "zlib": {"id": "zlib", "level": 3},
        "gzip": {"id": "gzip", "level": 3},
        "zstd": {"id": "zstd", "level": 2},
        "blosc": {"id": "blosc", "cname": name, "clevel": 5, "shuffle": shuffle, "blocksize": 0},
        "bz2": {"id": "bz2", "level": 1},
        "lz4": {"id": "lz4", "acceleration": 1},
        "lzma": {"id": "lzma", "format": 1, "check": -1, "preset": 1, "filters": None},
    }[drawn.compression]


def _zarr2_by_zarr(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    compressor = _zarr2_compressor(drawn)
    array = zarr.create_array(
        directory,
        shape=drawn.shape,
        chunks=drawn.chunk,
        dtype=_typestr(drawn),
        compressors=None if compressor is None else numcodecs.get_codec(compressor),
        filters=None,
        fill_value=drawn.fill,
        order="F" if drawn.is_fortran else "C",
        chunk_key_encoding={"name": "v2", "separator": drawn.keys},
        zarr_format=2,
        config={"write_empty_chunks": False},
    )
    array[...] = voxels


def _zarr3_codecs(drawn: DrawnArray) -> list[dict[str, Any]]:
    name, shuffle = drawn.blosc
    itemsize = np.dtype(drawn.data_type).itemsize
    configurations: dict[str, dict[str, Any]] = {
        "gzip": {"level": 3},
        "zstd": {"level": 2, "checksum": drawn.is_big_endian},
        "blosc": {
            "cname": name,
            "clevel": 5,
            "shuffle": ("noshuffle", "shuffle", "bitshuffle")[shuffle],
            "typesize": itemsize,
            "blocksize": 0,
        },
    }
    codecs: list[dict[str, Any]] = [
        {"name": "transpose", "configuration": {"order": list(order)}} for order in drawn.transposes
    ]
    codecs.append({"name": "bytes", "configuration": {"endian": "big" if drawn.is_big_endian else "little"}})
    if itemsize == 1:
        codecs[-1] = {"name": "bytes"}
    for one in drawn.compression.split("+"):
        if one == "crc32c":
            codecs.append({"name": "crc32c"})
        elif one != "raw":
            codecs.append({"name": one, "configuration": configurations[one]})
    return codecs


def zarr3_document(drawn: DrawnArray) -> dict[str, Any]:
    """Return the `zarr.json` of an array."""
    codecs = _zarr3_codecs(drawn)
    if drawn.shard is not None:
        index: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
        if drawn.has_index_checksum:
            index.append({"name": "crc32c"})
        outer = drawn.outer_transpose or tuple(range(len(drawn.shape)))
        sharding = {
            "chunk_shape": [drawn.chunk[axis] for axis in outer],
            "codecs": codecs,
            "index_codecs": index,
            "index_location": "start" if drawn.is_index_at_start else "end",
        }
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
        if drawn.outer_transpose is not None:
            codecs.insert(0, {"name": "transpose", "configuration": {"order": list(drawn.outer_transpose)}})
    fill = drawn.fill if drawn.fill is not None else 0
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(drawn.shape),
        "data_type": drawn.data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(drawn.outer_chunk)}},
        "chunk_key_encoding": {
            "name": "v2" if drawn.has_v2_keys else "default",
            "configuration": {"separator": drawn.keys},
        },
        "fill_value": _fill_in_json(fill),
        "codecs": codecs,
        "dimension_names": list(drawn.axes),
        "attributes": {},
    }


def _zarr3_by_tensorstore(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    _create_tensorstore("zarr3", directory, zarr3_document(drawn), voxels)


def _zarr3_by_zarr(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    directory.mkdir(parents=True)
    (directory / "zarr.json").write_text(json.dumps(zarr3_document(drawn)))
    with zarr.config.set({"array.write_empty_chunks": False}):
        array = zarr.open_array(directory, mode="r+", zarr_format=3)
        array[...] = voxels


def _n5_by_tensorstore(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    name, shuffle = drawn.blosc
    compression = {
        "raw": {"type": "raw"},
        "gzip": {"type": "gzip", "level": 3},
        "bzip2": {"type": "bzip2", "blockSize": 1},
        "xz": {"type": "xz", "preset": 1},
        "blosc": {"type": "blosc", "cname": name, "clevel": 5, "shuffle": shuffle},
        "zstd": {"type": "zstd", "level": 2},
    }[drawn.compression]
    metadata = {
        "dimensions": drawn.shape,
        "blockSize": drawn.chunk,
        "dataType": drawn.data_type,
        "compression": compression,
    }
    _create_tensorstore("n5", directory, metadata, voxels)


def _n5_by_z5py(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    """Write with z5py, which clips blocks at the end and lists dimensions the other way round."""
    root = directory.parent / f"{directory.name}.n5"
    with z5py.File(str(root), "a", use_zarr_format=False) as file:
        dataset = file.create_dataset(
            "s0",
            shape=drawn.shape[::-1],
            chunks=drawn.chunk[::-1],
            dtype=drawn.data_type,
            compression=drawn.compression,
        )
        dataset[...] = np.ascontiguousarray(voxels.transpose())
    (root / "s0").rename(directory)
    (root / "attributes.json").rename(directory.parent / "attributes.json")


def read_by_z5py(directory: Path) -> Voxels:
    """Return what z5py reads of an N5 array, in the order that N5 lists dimensions."""
    with z5py.File(str(directory.parent), "r", use_zarr_format=False) as file:
        return np.asarray(file[directory.name][...]).transpose()


def _n5_by_hand(drawn: DrawnArray, directory: Path, voxels: Voxels) -> None:
    """Write blocks with the standard library: zlib, and blocks of variable length with as many elements."""
    directory.mkdir(parents=True)
    document = {
        "dimensions": drawn.shape,
        "blockSize": drawn.chunk,
        "dataType": drawn.data_type,
        "compression": {"type": "gzip", "useZlib": True},
    }
    (directory / "attributes.json").write_text(json.dumps(document))
    for cell in np.ndindex(*(-(-n // c) for n, c in zip(drawn.shape, drawn.chunk, strict=True))):
        block = voxels[tuple(slice(i * c, (i + 1) * c) for i, c in zip(cell, drawn.chunk, strict=True))]
        if not block.any():
            continue
        mode = int(drawn.is_big_endian)
        head = struct.pack(f">2H{block.ndim}I", mode, block.ndim, *block.shape)
        head += struct.pack(">I", block.size) if mode else b""
        numbers = block.transpose().astype(block.dtype.newbyteorder(">")).tobytes()
        file = directory.joinpath(*map(str, cell))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(head + zlib.compress(numbers))


_WRITE: Final = {
    ("zarr2", "tensorstore"): _zarr2_by_tensorstore,
    ("zarr2", "zarr"): _zarr2_by_zarr,
    ("zarr3", "tensorstore"): _zarr3_by_tensorstore,
    ("zarr3", "zarr"): _zarr3_by_zarr,
    ("n5", "tensorstore"): _n5_by_tensorstore,
    ("n5", "z5py"): _n5_by_z5py,
    ("n5", "hand"): _n5_by_hand,
}


def _name_axes(drawn: DrawnArray, directory: Path) -> None:
    """Write what the libraries do not: names of dimensions, resolution and offset, as COSEM's transform."""
    offset = {name: 8.0 * at for name, at in zip("xyz", drawn.offset, strict=True)}
    transform = {
        "axes": list(drawn.axes),
        "order": "F" if drawn.format == "n5" else "C",
        "units": ["nm"] * len(drawn.axes),
        "scale": [8.0 if name in "xyz" else 1.0 for name in drawn.axes],
        "translate": [offset.get(name, 0.0) for name in drawn.axes],
    }
    name = {"zarr2": ".zattrs", "zarr3": "zarr.json", "n5": "attributes.json"}[drawn.format]
    document = json.loads((directory / name).read_text()) if (directory / name).exists() else {}
    if drawn.format == "zarr3":
        document.setdefault("attributes", {})["transform"] = transform
    else:
        document["transform"] = transform
    (directory / name).write_text(json.dumps(document))
