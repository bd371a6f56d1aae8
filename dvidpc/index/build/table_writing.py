"""Writes what completes an index: the table, what was read, and last the `info` that makes it valid."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from dvidpc.formats.precomputed.shard_encoding import locate_all
from dvidpc.index.build.build_files import BuildFiles
from dvidpc.index.build.job import BuildJob
from dvidpc.index.build.source_versions import SOURCES_KEY
from dvidpc.index.index_info import IndexInfo, encode_index_info
from dvidpc.index.layout import INFO_KEY, LABELS_DIRECTORY, TABLE_PART_ROWS, table_key
from dvidpc.index.size_table import Rows, TablePart, encode_table_part

_TABLE: Final = table_key(0).partition("/")[0]


class Totals(NamedTuple):
    """What an index holds."""

    labels: int
    blocks: int
    """Pairs of a label and a block."""
    voxels: int
    nbytes: int
    """Bytes of all its objects."""


def complete_index(job: BuildJob, output: BuildFiles, rows: Iterable[Rows], sources: bytes) -> Totals:
    """Write the table and the `info`, and remove objects of an older index that this one does not have.

    Args:
        job: The build.
        output: The directory of the index; all shards are written.
        rows: The rows of all labels, ascending.
        sources: The object `sources`.

    Raises:
        StoreError: A file cannot be read or written.
    """
    parts: list[TablePart] = []
    shards: set[int] = set()
    blocks = voxels = 0
    for of_part in _cut(rows):
        data, part = encode_table_part(of_part)
        output.write(table_key(len(parts)), data)
        parts.append(part)
        shards.update(np.unique(locate_all(job.sharding, of_part["label"])[0]).tolist())
        blocks += int(of_part["blocks"].sum(dtype=np.uint64))
        voxels += int(of_part["voxels"].sum(dtype=np.uint64))
    _keep_only(output, LABELS_DIRECTORY, {job.sharding.shard_name(shard) for shard in shards})
    _keep_only(output, _TABLE, {table_key(number).partition("/")[2] for number in range(len(parts))})
    output.write(SOURCES_KEY, sources)
    labels = sum(part.rows for part in parts)
    max_label = parts[-1].last if parts else 0
    info = IndexInfo(job.volume, job.sharding, tuple(parts), labels, blocks, voxels, max_label)
    output.write(INFO_KEY, encode_index_info(info))
    found = [output.sizes(directory) for directory in ("", LABELS_DIRECTORY, _TABLE)]
    return Totals(labels, blocks, voxels, sum(sum(sizes.values()) for sizes in found))


def merge_rows(files: Iterable[Iterator[Rows]]) -> Iterator[Rows]:
    """Yield the rows of many files, each ascending by label, ascending; memory holds a page of each."""
    live = [(page, file) for file in files if (page := _next_page(file)) is not None]
    while live:
        last = min(page["label"][-1] for page, _ in live)
        taken, rest = [], []
        for page, file in live:
            count = int(np.searchsorted(page["label"], last, "right"))
            taken.append(page[:count])
            following = page[count:] if count < len(page) else _next_page(file)
            if following is not None:
                rest.append((following, file))
        joined = np.concatenate(taken)
        yield joined[np.argsort(joined["label"])]
        live = rest


def _next_page(file: Iterator[Rows]) -> Rows | None:
    """Return the next page that has rows; None if there is none."""
    return next((page for page in file if len(page)), None)


def _cut(rows: Iterable[Rows]) -> Iterator[Rows]:
    """Yield the rows in parts of exactly `TABLE_PART_ROWS`; the last may have fewer."""
    waiting: list[Rows] = []
    count = 0
    for some in rows:
        waiting.append(some)
        count += len(some)
        while count >= TABLE_PART_ROWS:
            joined = np.concatenate(waiting)
            yield joined[:TABLE_PART_ROWS]
            waiting = [joined[TABLE_PART_ROWS:]]
            count = len(waiting[0])
    if count:
        yield np.concatenate(waiting)


def _keep_only(output: BuildFiles, directory: str, names: set[str]) -> None:
    output.sweep(directory)
    for name in set(output.sizes(directory)) - names:
        output.remove(f"{directory}/{name}")
