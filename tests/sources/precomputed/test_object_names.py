"""Names of chunks and shards: which are right, and what is wrong with others."""

import pytest

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.sharding import ShardHash, ShardingSpec
from dvidpc.sources.counting import Slip
from dvidpc.sources.precomputed.object_names import ObjectNames, Slipped
from dvidpc.types import Point

GRIDS = [
    Grid(Point(100, 100, 100), Point(-3, 0, 0), Point(64, 64, 64)),
    Grid(Point(100, 100, 100), Point(-3, 0, 0), Point(100, 100, 1)),
]
CHUNKS = ObjectNames(None, GRIDS)
SHARDS = ObjectNames(ShardingSpec(0, ShardHash.IDENTITY, 0, 6), GRIDS[:1])
CHUNK = "-3-61_0-64_64-100"
SLICE = "-3-97_0-100_7-8"


def test_right_names_are_those_that_are_read() -> None:
    assert all(CHUNKS.are_right(name) for name in (CHUNK, SLICE))
    assert not any(
        CHUNKS.are_right(name) for name in ("-3-61_0-64_64-128", "00.shard", "info", "", f"/{CHUNK}")
    )
    assert [SHARDS.shard_of(name) for name in ("00.shard", "3f.shard")] == [0, 63]
    assert [SHARDS.shard_of(name) for name in ("40.shard", "0.shard", "3F.shard", CHUNK)] == [None] * 4


@pytest.mark.parametrize(
    ("names", "name", "slipped"),
    [
        (CHUNKS, f"{CHUNK}.gz", Slipped(Slip.SUFFIX, ".gz", CHUNK)),
        (CHUNKS, f"{SLICE}.jpeg", Slipped(Slip.SUFFIX, ".jpeg", SLICE)),
        (CHUNKS, f"a/b/{CHUNK}", Slipped(Slip.DEEPER, "a/b", CHUNK)),
        (CHUNKS, "-3-61/0-64/64-100", Slipped(Slip.NESTED, "", CHUNK)),
        (CHUNKS, "0a.shard", Slipped(Slip.LAYOUT, "", "")),
        (SHARDS, "3f.shard.br", Slipped(Slip.SUFFIX, ".br", "3f.shard")),
        (SHARDS, "3F.shard", Slipped(Slip.CASE, "", "3f.shard")),
        (SHARDS, "003f.shard", Slipped(Slip.DIGITS, "", "3f.shard")),
        (SHARDS, "f.shard", Slipped(Slip.DIGITS, "", "0f.shard")),
        (SHARDS, "x/3f.shard", Slipped(Slip.DEEPER, "x", "3f.shard")),
        (SHARDS, "0-64_0-64_0-64", Slipped(Slip.LAYOUT, "", "")),
    ],
)
def test_a_slip_is_recognised(names: ObjectNames, name: str, slipped: Slipped) -> None:
    assert names.find_slip(name) == slipped


@pytest.mark.parametrize(
    "name", ["", "/", "//", "..", "info", "a\tb", "\udcff", "0-64_0-64.gz", ".gz", "é" * 99]
)
@pytest.mark.parametrize("names", [CHUNKS, SHARDS], ids=["chunks", "shards"])
def test_names_that_are_quite_different_are_no_slips(names: ObjectNames, name: str) -> None:
    assert not names.are_right(name)
    assert names.find_slip(name) is None
