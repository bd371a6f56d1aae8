"""The `info` of a label index."""

import json
from dataclasses import replace

import pytest

from dvidpc.errors import FormatError
from dvidpc.index.index_info import IndexedVolume, IndexInfo, encode_index_info, parse_index_info
from dvidpc.index.layout import choose_sharding
from dvidpc.index.size_table import TablePart
from dvidpc.types import Point

VOLUME = IndexedVolume("s3://b/v", "8_8_8", "ab" * 32, '"etag"', Point(-64, 0, 7), Point(9, 100, 2**31))
INFO = IndexInfo(
    VOLUME,
    choose_sharding(2**30),
    (TablePart(3, 1, 2**53 + 1, 2**32 - 1), TablePart(1, 2**63, 2**64 - 1, 0)),
    4,
    99,
    2**63,
    2**64 - 1,
)
EMPTY = replace(INFO, parts=(), labels=0, blocks=0, voxels=0, max_label=0)


@pytest.mark.parametrize("info", [INFO, EMPTY])
def test_what_is_written_is_read_again(info: IndexInfo) -> None:
    assert parse_index_info(encode_index_info(info)) == info


def test_the_sharding_is_neuroglancers() -> None:
    sharding = json.loads(encode_index_info(INFO))["sharding"]
    assert sharding["@type"] == "neuroglancer_uint64_sharded_v1"
    assert sharding["shard_bits"] == 14


@pytest.mark.parametrize(("blocks", "bits"), [(0, 0), (2**16, 0), (2**17, 1), (215_000_000, 12), (2**60, 20)])
def test_a_shard_holds_the_labels_of_65536_blocks(blocks: int, bits: int) -> None:
    assert choose_sharding(blocks).shard_bits == bits


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["@type"], "neuroglancer_mesh", "@type"),
        (["version"], 2, "reads version 1"),
        (["block_size"], [32, 32, 32], "block_size"),
        (["sharding"], None, "sharding"),
        (["volume", "start"], [0, 0], "start"),
        (["volume", "info_sha256"], 5, "info_sha256"),
        (["table", "page_rows"], 7, "page_rows"),
        (["table", "parts", 0, "rows"], 0, "without rows"),
        (["table", "parts", 0, "rows"], 4, "labels rows"),
        (["table", "parts", 0, "last"], 0, "ascending"),
        (["table", "parts", 1, "first"], 2**53 + 1, "ascending"),
        (["table", "parts"], {}, "parts"),
        (["max_label"], 5, "max_label"),
        (["max_label"], 2**64, "max_label"),
        (["labels"], 4.0, "labels"),
        (["voxels"], -1, "voxels"),
    ],
)
def test_a_malformed_info_is_refused_by_name(place: list[str | int], value: object, said: str) -> None:
    document = json.loads(encode_index_info(INFO))
    member = document
    for step in place[:-1]:
        member = member[step]
    member[place[-1]] = value
    with pytest.raises(FormatError, match=said):
        parse_index_info(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", encode_index_info(INFO)[:-9]])
def test_what_is_no_info_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_index_info(data)
