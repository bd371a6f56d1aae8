"""Measures the encodings of labels on one core: `python -m benchmarks.labels`.

Each group is a 64^3 block of cells. "block" is what a cold block costs: a compressed_segmentation chunk
becomes a labels.Block, both gzip'd. "block by voxels" decodes the chunk and encodes the voxels instead. Times
are CPU times, so that other processes disturb them little.
"""

import sys
import time
import timeit
from collections.abc import Callable

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.downres import halve_labels
from dvidpc.formats.dvid.google_labels import encode_google
from dvidpc.formats.dvid.label_payloads import compress_gzip, encode_lz4
from dvidpc.formats.dvid.labels_block import encode_block
from dvidpc.formats.dvid.transcoding import encode_chunk
from dvidpc.formats.precomputed.label_chunk import LabelChunk, parse_label_chunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.formats.precomputed.label_voxels import count_labels, decode_voxels
from dvidpc.types import Point

_SIZE = Point(64, 64, 64)
_SUB_BLOCK = Point(8, 8, 8)
_SECONDS = 0.5
_BATCH = 20


def draw_cells(num_labels: int) -> NDArray[np.uint64]:
    """Return smooth cells of about this many labels."""
    rng = np.random.default_rng(1)
    zyx = np.moveaxis(np.indices(_SIZE, np.float32), 0, -1)
    zyx += 2 * np.sin(zyx[..., [1, 2, 0]] / 5)
    nearest = np.full(_SIZE, np.inf)
    cells = np.zeros(_SIZE, np.uint64)
    for label in rng.integers(1, 2**63, num_labels, np.uint64):
        distance = ((zyx - rng.uniform(-8, 72, 3)) ** 2).sum(-1)
        cells[distance < nearest] = label
        np.minimum(nearest, distance, out=nearest)
    return cells


def milliseconds(step: Callable[[], object]) -> float:
    """Return the median CPU time of a step."""
    timer = timeit.Timer(step, timer=time.process_time)
    number, taken = timer.autorange()
    repeats = max(5, int(_SECONDS * number / (taken * _BATCH)))
    return 1000 * float(np.median(timer.repeat(repeats, _BATCH))) / _BATCH


def open_chunk(stored: bytes) -> LabelChunk:
    """Return the checked view of a gzip'd chunk of 64^3 labels."""
    return parse_label_chunk(bytes(imagecodecs.gzip_decode(stored)), _SIZE, _SUB_BLOCK, 8)


def _rows(voxels: NDArray[np.uint64]) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    stored = compress_gzip(encode_google(voxels))
    chunk = open_chunk(stored)
    points = np.random.default_rng(2).integers(0, 64, (20, 3))
    return {
        "block": lambda: compress_gzip(encode_chunk(open_chunk(stored))),
        "block by voxels": lambda: compress_gzip(encode_block(decode_voxels(open_chunk(stored)))),
        "gunzip and check": lambda: open_chunk(stored),
        "transcode": lambda: encode_chunk(chunk),
        "decode": lambda: decode_voxels(chunk),
        "decode and encode": lambda: encode_block(decode_voxels(chunk)),
        "google of voxels": lambda: encode_google(voxels),
        "lz4 of voxels": lambda: encode_lz4(voxels),
        "count labels": lambda: count_labels(chunk),
        "one label": lambda: label_at(chunk, Point(9, 8, 7)),
        "20 labels": lambda: labels_of(chunk, points),
        "half the resolution": lambda: halve_labels(voxels),
    }


def main() -> None:
    """Print milliseconds, and blocks a second with the ratio that counts."""
    for num_labels in (18, 100, 400):
        voxels = draw_cells(num_labels)
        times = {name: milliseconds(step) for name, step in _rows(voxels).items()}
        ratio = times["block by voxels"] / times["block"]
        lines = [f"{len(np.unique(voxels))} labels"]
        lines += [f"  {name:22}{taken:8.3f} ms" for name, taken in times.items()]
        lines += [f"  {1000 / times['block']:.0f} blocks/s, {ratio:.1f} times as many as by voxels"]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
