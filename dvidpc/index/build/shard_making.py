"""Makes a shard of the index, and the rows of its labels, from block counts."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from dvidpc.formats.dvid.label_index import encode_label_indexes, merge_entries
from dvidpc.formats.precomputed.shard_encoding import encode_shard
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.index.build.block_counts import BlockCounts
from dvidpc.index.size_table import Rows, rows_of

_ROWS_TOGETHER: Final = 2**20
"""Rows that are merged together, which bounds memory; a label with more is merged alone."""


def make_shard(spec: ShardingSpec, counts: BlockCounts) -> tuple[bytes, Rows] | None:
    """Return a shard and the rows of its labels, ascending.

    Args:
        spec: How labels are distributed.
        counts: All block counts of labels that belong to the shard, in any order.

    Returns:
        None if there are no labels: the shard does not exist.
    """
    if not counts.rows:
        return None
    rows, messages = [], []
    for part in _by_labels(counts):
        merged = merge_entries(*part)
        encoded = encode_label_indexes(*merged)
        messages += encoded.messages()
        rows.append(rows_of(*merged))
    joined = np.concatenate(rows)
    return encode_shard(spec, joined["label"], messages), joined


def _by_labels(counts: BlockCounts) -> Iterator[BlockCounts]:
    """Yield counts of some labels at a time, all of those that a label has; labels ascend."""
    order = np.argsort(counts.labels, kind="stable")
    labels = counts.labels[order]
    firsts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    cuts = firsts[np.append(True, np.diff(firsts // _ROWS_TOGETHER) > 0)]
    for start, stop in pairwise([*cuts.tolist(), len(labels)]):
        yield counts.take(order[start:stop])
