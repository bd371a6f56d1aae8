"""Shards that are written here are read by tensorstore and by our own reader."""

from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.precomputed.shard_encoding import encode_shard, locate_all
from dvidpc.formats.precomputed.sharding import DataEncoding, ShardHash, ShardingSpec

IDS = st.lists(st.one_of(st.integers(0, 40), st.integers(0, 2**64 - 1)), unique=True)


@given(IDS, st.sampled_from(ShardHash), st.integers(0, 64), st.integers(0, 9), st.integers(0, 9))
def test_many_ids_are_located_as_one_is(
    ids: list[int], hashing: ShardHash, preshift: int, minishard_bits: int, shard_bits: int
) -> None:
    spec = ShardingSpec(preshift, hashing, minishard_bits, shard_bits)
    shards, minishards = locate_all(spec, np.array(ids, np.uint64))
    assert list(zip(shards.tolist(), minishards.tolist(), strict=True)) == [spec.locate(i) for i in ids]


@pytest.mark.parametrize("encoding", DataEncoding)
@pytest.mark.parametrize("index_encoding", DataEncoding)
def test_tensorstore_reads_every_value(
    encoding: DataEncoding, index_encoding: DataEncoding, tmp_path: Path
) -> None:
    spec = ShardingSpec(0, ShardHash.MURMURHASH3_X86_128, 3, 2, index_encoding, encoding)
    ids = np.unique(np.random.default_rng(5).integers(0, 2**63, 200, dtype=np.uint64))
    values = {i: f"value {i}".encode() * (i % 9) for i in ids.tolist()}
    shards, _ = locate_all(spec, ids)
    for shard in range(4):
        of_shard = ids[shards == shard]
        data = encode_shard(spec, of_shard, [values[i] for i in of_shard.tolist()])
        assert data == encode_shard(spec, of_shard[::-1], [values[i] for i in of_shard[::-1].tolist()])
        (tmp_path / spec.shard_name(shard)).write_bytes(data)
    store = ts.KvStore.open(
        {
            "driver": "neuroglancer_uint64_sharded",
            "base": f"file://{tmp_path}/",
            "metadata": {
                "@type": "neuroglancer_uint64_sharded_v1",
                "preshift_bits": 0,
                "hash": "murmurhash3_x86_128",
                "minishard_bits": 3,
                "shard_bits": 2,
                "minishard_index_encoding": index_encoding.value,
                "data_encoding": encoding.value,
            },
        }
    ).result()
    for i, value in values.items():
        assert store.read(i.to_bytes(8, "big")).result().value == value
    listed = {int.from_bytes(key, "big") for key in store.list().result()}
    assert listed == set(values)
