"""Writes shard objects (sharded.md), the counterpart of `sharding`."""

import struct
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.sharding import DataEncoding, ShardHash, ShardingSpec

_GZIP_LEVEL: Final = 1
_GZIP_FORMAT: Final = 31
_EMPTY: Final = bytes(16)

_C1, _C2, _C3 = np.uint32(0x239B961B), np.uint32(0xAB0E9789), np.uint32(0x38B34AE5)
_KEY_SIZE: Final = np.uint32(8)


def locate_all(spec: ShardingSpec, ids: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the shard and the minishard of each id, as `ShardingSpec.locate` does for one."""
    hashed = ids >> np.uint64(spec.preshift_bits) if spec.preshift_bits < 64 else np.zeros_like(ids)
    if spec.hash is ShardHash.MURMURHASH3_X86_128:
        hashed = _murmurhash3_x86_128_low(hashed)
    minishards = hashed & np.uint64((1 << spec.minishard_bits) - 1)
    shards = hashed >> np.uint64(spec.minishard_bits) & np.uint64((1 << spec.shard_bits) - 1)
    return shards, minishards


def encode_shard(spec: ShardingSpec, ids: NDArray[np.uint64], values: Sequence[bytes | memoryview]) -> bytes:
    """Return the shard object that holds *values*; always the same for the same arguments.

    Args:
        spec: How ids are distributed.
        ids: The ids of one shard; each once, in any order.
        values: Their values.
    """
    _, minishards = locate_all(spec, ids)
    order = np.lexsort((ids, minishards))
    bounds = np.searchsorted(minishards[order], np.arange((1 << spec.minishard_bits) + 1, dtype=np.uint64))
    compress = _compressor(spec.data_encoding)
    compress_index = _compressor(spec.minishard_index_encoding)
    parts: list[bytes] = []
    entries = bytearray()
    at = 0
    for first, last in pairwise(bounds.tolist()):
        if first == last:
            entries += _EMPTY
            continue
        here = order[first:last]
        stored = [compress(values[i]) for i in here.tolist()]
        index = compress_index(
            _encode_minishard(ids[here], np.array([len(v) for v in stored], np.uint64), at)
        )
        parts += [*stored, index]
        at += sum(map(len, stored))
        entries += struct.pack("<2Q", at, at + len(index))
        at += len(index)
    return b"".join((bytes(entries), *parts))


def _encode_minishard(ids: NDArray[np.uint64], sizes: NDArray[np.uint64], start: int) -> bytes:
    """Return a minishard index; the values lie one after the other from *start*, after the shard index."""
    gaps = np.zeros(len(ids), np.uint64)
    gaps[0] = start
    return np.stack([np.diff(ids, prepend=np.uint64(0)), gaps, sizes]).astype("<u8").tobytes()


def _compressor(encoding: DataEncoding) -> Callable[[bytes | memoryview], bytes]:
    if encoding is DataEncoding.RAW:
        return bytes
    return lambda data: zlib.compress(data, _GZIP_LEVEL, _GZIP_FORMAT)


def _murmurhash3_x86_128_low(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the low 64 bits of the hash, seed 0, of each number as 8 little-endian bytes."""
    low, high = values.astype(np.uint32), (values >> np.uint64(32)).astype(np.uint32)
    h2 = _rotate(high * _C2, 16) * _C3 ^ _KEY_SIZE
    h1 = _rotate(low * _C1, 15) * _C2 ^ _KEY_SIZE
    h3 = h4 = np.full(len(values), _KEY_SIZE)
    h1, h2, h3, h4 = (_mix(h) for h in _spread(h1, h2, h3, h4))
    h1, h2, _, _ = _spread(h1, h2, h3, h4)
    return h1.astype(np.uint64) | h2.astype(np.uint64) << np.uint64(32)


def _spread(
    h1: NDArray[np.uint32], h2: NDArray[np.uint32], h3: NDArray[np.uint32], h4: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    h1 = h1 + h2 + h3 + h4
    return h1, h2 + h1, h3 + h1, h4 + h1


def _rotate(values: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    return values << np.uint32(bits) | values >> np.uint32(32 - bits)


def _mix(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    values = (values ^ values >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    values = (values ^ values >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return values ^ values >> np.uint32(16)
