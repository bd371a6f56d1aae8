"""A real server meets arrays that lie: answers are 502, memory is bounded, and other chunks are served."""

import json
import os
import struct
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dvidpc.formats.arrays.compressors import Compression
from tests.array_bombs import MIB, bombs, crc32c
from tests.array_stores import store_section
from tests.drawn_arrays import DrawnArray, as_written, write_array, zarr3_document
from tests.processes import Command, get, running, wait_until

UUID = "28841c8277e044a7b187dda03e18da13"
MOST_GROWTH = 96 * MIB
"""What memory may grow by: libraries, threads and chunks, and no bomb of 256 MiB."""
EMPTY = 2**64 - 1

ZARR = DrawnArray("zarr2", "tensorstore", "uint8", "zyx", (128, 64, 64), (64, 64, 64), "raw", seed=1)
SHARDED = DrawnArray(
    "zarr3", "tensorstore", "uint8", "zyx", (128, 64, 64), (64, 64, 64), "zstd", shard=(1, 1, 1), seed=2
)
N5 = DrawnArray("n5", "tensorstore", "uint8", "xyz", (64, 64, 128), (64, 64, 64), "raw", fill=None, seed=3)

IDS: dict[Compression, str] = {
    Compression.GZIP: "gzip",
    Compression.ZLIB: "zlib",
    Compression.ZSTD: "zstd",
    Compression.BZ2: "bz2",
    Compression.XZ: "lzma",
    Compression.BLOSC: "blosc",
    Compression.LZ4: "lz4",
}
"""Compressors of zarr v2."""


def with_index(offset: int, size: int, *, fixed: bool = True) -> Callable[[bytes], bytes]:
    """Return what rewrites the only entry of a shard's index."""

    def edit(shard: bytes) -> bytes:
        entry = struct.pack("<2Q", offset, size)
        return shard[:-20] + (crc32c(entry) if fixed else entry + shard[-4:])

    return edit


SHARDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "checksum": (with_index(0, 100, fixed=False), "CRC32C"),
    "far": (with_index(2**62, 100), "bytes 4611686018427387904-"),
    "beyond": (with_index(10, 400_000), "bytes 10-"),
    "huge": (with_index(0, 2**40), "its shard index gives it"),
    "overflow": (with_index(2**63, 2**63), "damaged shard index"),
    "half empty": (with_index(EMPTY, 5), "damaged shard index"),
    "short": (lambda _: b"12345", ""),
    "nothing": (lambda _: b"", ""),
    "cut": (lambda shard: shard[-30:], ""),
}


def n5_head(mode: int, *size: int) -> bytes:
    return struct.pack(f">2H{len(size)}I", mode, len(size), *size)


BLOCKS: dict[str, bytes] = {
    "huge block": n5_head(0, 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(100),
    "many dimensions": n5_head(0, *([1] * 100)),
    "object": n5_head(2, 64, 64, 64) + bytes(64**3),
    "no payload": n5_head(0, 64, 64, 64),
    "huge object": b"",
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Arrays of two chunks, the first of which is hostile, by the name of their instance."""
    directory = tmp_path_factory.mktemp("arrays")
    made: dict[str, Path] = {}

    def make(drawn: DrawnArray, name: str) -> Path:
        made[name] = directory / f"{drawn.format}-{len(made)}"
        write_array(drawn, made[name])
        return made[name]

    for name, compression, bomb in bombs():
        if compression in IDS:
            drawn = as_written(replace(ZARR, compression=IDS[compression]))
            array = make(drawn, f"bomb_{name.replace(' ', '_')}")
            (array / "0" / "0" / "0").write_bytes(bomb)
    for name, (edit, _) in SHARDS.items():
        shard = make(SHARDED, f"shard_{name.replace(' ', '_')}") / "c" / "0" / "0" / "0"
        shard.write_bytes(edit(shard.read_bytes()))
    for name, block in BLOCKS.items():
        file = make(N5, f"n5_{name.replace(' ', '_')}") / "0" / "0" / "0"
        file.write_bytes(block)
        if not block:
            os.truncate(file, 10 * 2**30)  # sparse
    return made


@pytest.fixture(scope="module")
def server(stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    config = tmp_path_factory.mktemp("server") / "config.toml"
    sections = [
        store_section(name, f"file://{path}", {}, "n5" if path.name.startswith("n5") else "zarr")
        for name, path in stores.items()
    ]
    head = f'[server]\nshutdownDelay = 0\nhttpAddress = "localhost:0"\n[repo]\nuuid = "{UUID}"\n'
    config.write_text(head + "".join(sections))
    with running(config) as command:
        yield command


def peak(command: Command) -> int:
    """Return the most memory that the server has had resident so far, in bytes."""
    status = Path(f"/proc/{command.process.pid}/status").read_text()
    (line,) = (one for one in status.splitlines() if one.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def error_of(url: str) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url)
    with caught.value as error:
        return error.code, error.read().decode()


def block_url(command: Command, name: str, z: int) -> str:
    return f"{command.url()}/api/node/{UUID}/{name}/specificblocks?blocks=0,0,{z}&compression=uncompressed"


def test_hostile_chunks_are_502_and_others_are_served(server: Command, stores: dict[str, Path]) -> None:
    for name in stores:  # loads every library
        assert len(get(block_url(server, name, 1))) > 0, name
    before = peak(server)
    said = {f"shard_{name.replace(' ', '_')}": text for name, (_, text) in SHARDS.items()}
    for name, path in stores.items():
        status, text = error_of(block_url(server, name, 0))
        assert status == 502, (name, text)
        assert text.count("\n") == 1, text
        assert said.get(name, "") in text, (name, text)
        assert str(path) in text, text
        if name.startswith("shard"):
            assert "c/0/0/0" in text, text
    assert peak(server) - before < MOST_GROWTH
    for name in stores:
        assert len(get(block_url(server, name, 1))) > 0, name


HUGE: dict[str, tuple[str, dict[str, Any]]] = {
    "chunk of a terabyte": (".zarray", {"chunks": [2**14, 2**13, 2**13]}),
    "shape of 2^60": (".zarray", {"shape": [2**60, 2, 2]}),
    "rank of 1000": (".zarray", {"shape": [1] * 1000, "chunks": [1] * 1000}),
}


def test_huge_claims_of_documents_cost_that_volume_only(tmp_path: Path) -> None:
    sections = []
    for number, (name, changes) in enumerate(HUGE.values()):
        path = tmp_path / f"array{number}"
        write_array(ZARR, path)
        document = json.loads((path / name).read_text())
        (path / name).write_text(json.dumps(document | changes))
        sections.append(store_section(f"huge{number}", f"file://{path}", {}))
    write_array(SHARDED, tmp_path / "sharded")
    document = zarr3_document(SHARDED)
    document["chunk_grid"]["configuration"]["chunk_shape"] = [2**23 * 64, 64, 64]
    (tmp_path / "sharded" / "zarr.json").write_text(json.dumps(document))
    sections.append(store_section("index", f"file://{tmp_path}/sharded", {}))
    write_array(ZARR, tmp_path / "good")
    sections.append(store_section("good", f"file://{tmp_path}/good", {}))
    config = tmp_path / "config.toml"
    head = f'[server]\nshutdownDelay = 0\nhttpAddress = "localhost:0"\n[repo]\nuuid = "{UUID}"\n'
    config.write_text(head + "".join(sections))
    with running(config) as command:
        assert len(get(block_url(command, "good", 0))) > 64**3
        wait_until(lambda: sum("is not served" in line for line in command.lines) == 4, command.lines)
        for name in ("huge0", "huge1", "huge2", "index"):
            status, text = error_of(block_url(command, name, 0))
            assert status == 400, text  # what is not served has no instance
        assert peak(command) < 400 * MIB
