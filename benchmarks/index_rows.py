"""The rows of the table about the label index."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.label_rows import LABELS, SIDE, requests_per_cpu_s, write_volumes
from benchmarks.labels import draw_cells
from benchmarks.machinery import Server, dvidpc
from benchmarks.rows import Bench, Row, fetch, ratio_row
from dvidpc.formats.dvid.label_index import encode_label_indexes, merge_entries, pack_blocks
from dvidpc.formats.precomputed.shard_encoding import encode_shard
from dvidpc.index.index_info import IndexedVolume, IndexInfo, encode_index_info
from dvidpc.index.label_index_reader import digest_of
from dvidpc.index.layout import INFO_KEY, LABELS_DIRECTORY, choose_sharding, table_key
from dvidpc.index.size_table import encode_table_part, rows_of
from dvidpc.types import Point

_CHUNK: Final = 64
_NUM_LABELS: Final = 100
_BLOCKS: Final = 200
_BOUNDS: Final = "maxy=319&maxz=319"
"""Bounds of the 8 x 5 x 5 blocks of a sparse volume."""


def size_of_a_label(bench: Bench) -> list[Row]:
    """Compare `size` of a label, its page of the table cached, with `info`."""
    with _serving(bench) as server:
        urls = [f"{server.url}{LABELS}/size/{_first_label()}"]
        info = [f"{server.url}{LABELS}/info"]
        pairs = [
            (requests_per_cpu_s(server, urls, bench), requests_per_cpu_s(server, info, bench))
            for _ in range(bench.rounds)
        ]
    return [ratio_row("labels: size of a label, hot", 0.5, pairs, "req/CPU-s")]


def sparse_volume(bench: Bench) -> list[Row]:
    """Measure the runs of a body of 200 blocks, whose chunks are cached."""
    rates = []
    with _serving(bench) as server:
        url = f"{server.url}{LABELS}/sparsevol/{_first_label()}?{_BOUNDS}"
        size = len(fetch(url))
        for _ in range(bench.rounds):
            before = server.cpu_s()
            for _ in range(5):
                fetch(url)
            rates.append(5 * _BLOCKS / (server.cpu_s() - before))
    rate = statistics.median(rates)
    name = f"labels: sparsevol of {_BLOCKS} blocks, {size / 1e6:.1f} MB of runs, chunks cached, one core"
    return [Row(name, f"{rate:,.0f} blocks/s", "500 blocks/s", rate / 500, 1, at_least=True)]


def _first_label() -> int:
    return int(np.unique(draw_cells(_NUM_LABELS))[0])


@contextmanager
def _serving(bench: Bench) -> Iterator[Server]:
    """Serve a segmentation of 512^3 voxels, all of whose chunks are equal, with its label index."""
    if not (bench.directory / "labels").exists():
        write_volumes(bench.directory)
    if not (bench.directory / "index").exists():
        _write_index(bench.directory)
    store = (
        f'ref = "file://{bench.directory}/image"\n[store.labels]\nengine = "ngprecomputed"\n'
        f'instance = "labels"\nref = "file://{bench.directory}/labels"\n'
        f'label_index = "{bench.directory}/index"'
    )
    with dvidpc(store, bench.directory, memory=2**30) as server:
        yield server


def _write_index(directory: Path) -> None:
    """Write the index: every block holds the same labels."""
    labels, counts = np.unique(draw_cells(_NUM_LABELS), return_counts=True)
    xyz = np.array(list(product(range(SIDE // _CHUNK), repeat=3)))
    entries = merge_entries(
        np.repeat(labels, len(xyz)), np.tile(pack_blocks(xyz), len(labels)), np.repeat(counts, len(xyz))
    )
    encoded = encode_label_indexes(*entries)
    spec = choose_sharding(len(xyz))
    index = directory / "index"
    for name in (LABELS_DIRECTORY, "table"):
        (index / name).mkdir(parents=True)
    (index / LABELS_DIRECTORY / spec.shard_name(0)).write_bytes(
        encode_shard(spec, encoded.labels, encoded.messages())
    )
    rows = rows_of(*entries)
    table, part = encode_table_part(rows)
    (index / table_key(0)).write_bytes(table)
    digest = digest_of((directory / "labels" / "info").read_bytes())
    volume = IndexedVolume("", "s0", digest, "", Point(0, 0, 0), Point(SIDE, SIDE, SIDE))
    blocks, voxels = len(entries[0]), int(entries[2].sum(dtype=np.uint64))
    info = IndexInfo(volume, spec, (part,), len(rows), blocks, voxels, int(labels[-1]))
    (index / INFO_KEY).write_bytes(encode_index_info(info))


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (size_of_a_label, sparse_volume)
