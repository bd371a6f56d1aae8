"""The rows of the table about segmentations."""

import contextlib
import http.client
import itertools
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import numpy as np
import simplejpeg

from benchmarks.labels import draw_cells, milliseconds, open_chunk
from benchmarks.machinery import NODE, Server, dvidpc, wrk
from benchmarks.rows import Bench, Row, fetch, ratio_row
from dvidpc.formats.dvid.google_labels import encode_google
from dvidpc.formats.dvid.label_payloads import compress_gzip
from dvidpc.formats.dvid.labels_block import encode_block
from dvidpc.formats.dvid.transcoding import encode_chunk
from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_voxels import decode_voxels
from dvidpc.types import Point

SIDE: Final = 512
"""Voxels along each edge of the segmentation."""
_CHUNK: Final = 64
_READER: Final = """
import socket, sys
source = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
buffer = bytearray(2**20)
while source.recv_into(buffer):
    pass
"""
_NUM_LABELS: Final = 100
_SIZE: Final = Point(_CHUNK, _CHUNK, _CHUNK)
_SUB_BLOCK: Final = Point(8, 8, 8)
_POINTS: Final = 10_000
_CHUNKS: Final = 500
LABELS: Final = NODE.replace("/em", "/labels")
_FILE: Final = Path("labels") / "s0"
_PART: Final = 2**20


def transcoding(bench: Bench) -> list[Row]:
    """Compare a cold block of labels on one core with decoding it to voxels and encoding those, in numpy."""
    stored = compress_gzip(encode_google(draw_cells(_NUM_LABELS)))
    pairs = []
    for _ in range(bench.rounds):
        ours = milliseconds(lambda: compress_gzip(encode_chunk(open_chunk(stored))))
        limit = milliseconds(lambda: compress_gzip(encode_block(decode_voxels(open_chunk(stored)))))
        pairs.append((1000 / ours, 1000 / limit))
    name = "labels: stored chunk to block, 100 labels, one core"
    rate = statistics.median(ours for ours, _ in pairs)
    return [
        ratio_row(name, 3, pairs, "blocks/s"),
        Row(f"{name}, at least", f"{rate:,.0f} blocks/s", "600 blocks/s", rate / 600, 1, at_least=True),
    ]


def google_gzip(bench: Bench) -> list[Row]:
    """Compare a cached `googlegzip` block with a cached image block of the same size."""
    with _serving(bench) as server:
        labels = f"{server.url}{LABELS}/raw/0_1_2/64_64_64/64_64_64?compression=googlegzip"
        image = f"{server.url}{NODE}/specificblocks?blocks=0,0,0"
        size, nbytes = len(fetch(labels)), len(fetch(image)) - 16
        if abs(size - nbytes) > size // 20:
            raise RuntimeError(f"the blocks have {size} and {nbytes} bytes")
        pairs = [
            (requests_per_cpu_s(server, [labels], bench), requests_per_cpu_s(server, [image], bench))
            for _ in range(bench.rounds)
        ]
    return [ratio_row(f"labels: googlegzip of {size // 1000} kB, hot", 0.9, pairs, "req/CPU-s")]


def one_label(bench: Bench) -> list[Row]:
    """Compare `label` at random points, their chunk cached, with `info`."""
    drawn = random.Random(1)
    with _serving(bench) as server:
        points = ["_".join(str(drawn.randrange(64)) for _ in range(3)) for _ in range(200)]
        urls = [f"{server.url}{LABELS}/label/{point}" for point in points]
        info = f"{server.url}{LABELS}/info"
        pairs = [
            (requests_per_cpu_s(server, urls, bench), requests_per_cpu_s(server, [info], bench))
            for _ in range(bench.rounds)
        ]
    return [ratio_row("labels: label of a voxel, chunk cached", 0.5, pairs, "req/CPU-s")]


def many_labels(bench: Bench) -> list[Row]:
    """Measure `labels` with 10,000 points over 500 cached chunks."""
    drawn = random.Random(2)
    chunks = list(itertools.product(range(SIDE // _CHUNK), repeat=3))[:_CHUNKS]
    points = [[_CHUNK * at + drawn.randrange(_CHUNK) for at in chunks[n % _CHUNKS]] for n in range(_POINTS)]
    with _serving(bench) as server:
        body = json.dumps(points).encode()

        def ask() -> float:
            started = time.perf_counter()
            with _answer_of(server, "labels", body) as answer:
                answer.read()
            return 1000 * (time.perf_counter() - started)

        ask()
        taken = statistics.median(ask() for _ in range(4 * bench.rounds))
    name = "labels: labels of 10,000 points over 500 cached chunks"
    return [Row(name, f"{taken:.0f} ms", "150 ms", taken / 150, 1, at_least=False)]


def large_box(bench: Bench) -> list[Row]:
    """Compare the CPU time of a box of 512^3 labels, not cached, with one loop that makes and sends it.

    Memory is what the server takes beyond what it has at its start and its cache.
    """
    with _serving(bench, memory=2**28) as server:
        idle = server.resident_bytes()
        pairs, most = [], 0
        for _ in range(bench.rounds):
            before = server.cpu_s()
            most = max(most, _drain(server))
            pairs.append((1 / (server.cpu_s() - before), 1 / _cpu(lambda: _place(bench.directory))))
    name = "labels: raw box of 512^3"
    beyond = (most - idle - 2**28) / 2**20
    return [
        ratio_row(name, 0.5, pairs, "boxes/CPU-s"),
        Row(
            f"{name}, memory beyond the cache",
            f"{beyond:.0f} MiB",
            "256 MiB",
            beyond / 256,
            1,
            at_least=False,
        ),
    ]


def requests_per_cpu_s(server: Server, urls: Sequence[str], bench: Bench) -> float:
    """Return how many requests the server answers per second of its CPU time."""
    before = server.cpu_s()
    _rate, count = wrk(urls, bench.directory)
    return count / (server.cpu_s() - before)


@contextlib.contextmanager
def _serving(bench: Bench, memory: int = 2**30) -> Iterator[Server]:
    """Serve a segmentation of 512^3 voxels, and as `em` an image of one block of about the same size."""
    if not (bench.directory / "labels").exists():
        write_volumes(bench.directory)
    store = (
        f'ref = "file://{bench.directory}/image"\n[store.labels]\nengine = "ngprecomputed"\n'
        f'instance = "labels"\nref = "file://{bench.directory}/labels"'
    )
    with dvidpc(store, bench.directory, memory=memory) as server:
        yield server


def write_volumes(directory: Path) -> None:
    """Write both volumes; all chunks of the segmentation are equal."""
    chunk = encode_google(draw_cells(_NUM_LABELS))
    (directory / _FILE).mkdir(parents=True)
    spans = [f"{at}-{at + _CHUNK}" for at in range(0, SIDE, _CHUNK)]
    for x, y, z in itertools.product(spans, repeat=3):
        (directory / _FILE / f"{x}_{y}_{z}").write_bytes(chunk)
    (directory / "image" / "s0").mkdir(parents=True)
    image = _draw_jpeg(len(compress_gzip(chunk)))
    (directory / "image" / "s0" / "0-64_0-64_0-64").write_bytes(image)
    for name, kind, size, data_type, encoding in (
        ("labels", "segmentation", SIDE, "uint64", "compressed_segmentation"),
        ("image", "image", _CHUNK, "uint8", "jpeg"),
    ):
        scale = {
            "key": "s0",
            "size": [size] * 3,
            "resolution": [8, 8, 8],
            "chunk_sizes": [[_CHUNK] * 3],
            "encoding": encoding,
            "compressed_segmentation_block_size": [8, 8, 8],
        }
        info = {"type": kind, "data_type": data_type, "num_channels": 1, "scales": [scale]}
        (directory / name / "info").write_text(json.dumps(info))


def _draw_jpeg(nbytes: int) -> bytes:
    """Return a chunk of about *nbytes*: the more its grey levels vary, the larger it is."""
    noise = np.random.default_rng(3).random((_CHUNK * _CHUNK, _CHUNK, 1))
    least, most = 0.0, 255.0
    data = b""
    for _ in range(12):
        height = (least + most) / 2
        data = simplejpeg.encode_jpeg((noise * height).astype(np.uint8), quality=80, colorspace="GRAY")
        least, most = (height, most) if len(data) < nbytes else (least, height)
    return bytes(data)


@contextlib.contextmanager
def _answer_of(server: Server, path: str, body: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
    """Send a GET to the segmentation; a body is allowed, as DVID wants it for lists of positions."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    with contextlib.closing(connection):
        connection.request("GET", f"{LABELS}/{path}", body)
        yield connection.getresponse()


def _drain(server: Server) -> int:
    """Read the box and drop it; return the most memory that was resident meanwhile."""
    most = 0
    with _answer_of(server, f"raw/0_1_2/{SIDE}_{SIDE}_{SIDE}/0_0_0") as answer:
        for number in itertools.count():
            if not answer.read(_PART):
                return most
            if number % 32 == 0:
                most = max(most, server.resident_bytes())
    raise AssertionError


def _place(directory: Path) -> None:
    """Decode the chunks of the box, put them into place, one layer at a time, and send them to a process."""
    count = SIDE // _CHUNK
    layer = np.zeros((_CHUNK, SIDE, SIDE), np.uint64)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reader = subprocess.Popen([sys.executable, "-c", _READER, str(listening.getsockname()[1])])
        sink, _ = listening.accept()
    data = (directory / _FILE / "0-64_0-64_0-64").read_bytes()
    for _ in range(count):
        for y, x in itertools.product(range(0, SIDE, _CHUNK), repeat=2):
            chunk = parse_label_chunk(data, _SIZE, _SUB_BLOCK, 8)
            layer[:, y : y + _CHUNK, x : x + _CHUNK] = decode_voxels(chunk)
        sink.sendall(layer.data)
    sink.close()
    reader.wait()


def _cpu(step: Callable[[], object]) -> float:
    started = time.process_time()
    step()
    return time.process_time() - started


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (
    transcoding,
    google_gzip,
    one_label,
    many_labels,
    large_box,
)
