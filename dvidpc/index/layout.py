"""Where the parts of a label index lie, and how labels are distributed over them."""

from typing import Final

from dvidpc.formats.precomputed.sharding import DataEncoding, ShardHash, ShardingSpec

INFO_KEY: Final = "info"
"""Describes the index; written last, so that an unfinished index has none."""
LABELS_DIRECTORY: Final = "labels"
"""Holds the shards, whose values are `LabelIndex` messages by label."""
BLOCK_SIZE: Final = 64
"""Voxels along each edge of a block."""
TABLE_PART_ROWS: Final = 2**20
"""Rows of each part of the table but the last."""
TABLE_PAGE_ROWS: Final = 1024
"""Rows that are read and checked together: 48 KiB."""

_BLOCKS_OF_A_SHARD: Final = 2**16
_MINISHARD_BITS: Final = 6
_MOST_SHARD_BITS: Final = 20


def table_key(part: int) -> str:
    """Return the key of a part of the table, counted from 0."""
    return f"table/{part:08}"


def choose_sharding(blocks: int) -> ShardingSpec:
    """Return how the labels of a volume of *blocks* are distributed: one shard for every 2^16 blocks."""
    shards = max(1, blocks // _BLOCKS_OF_A_SHARD)
    return ShardingSpec(
        preshift_bits=0,
        hash=ShardHash.MURMURHASH3_X86_128,
        minishard_bits=_MINISHARD_BITS,
        shard_bits=min(_MOST_SHARD_BITS, (shards - 1).bit_length()),
        minishard_index_encoding=DataEncoding.GZIP,
        data_encoding=DataEncoding.GZIP,
    )
