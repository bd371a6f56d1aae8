"""`zarr.json` documents: what is read, what is refused, and by which name."""

from typing import Any

import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.zarr3 import parse_zarr_json
from dvidpc.formats.data_types import DataType

BYTES: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
PLAIN: dict[str, Any] = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [100, 200, 300],
    "data_type": "uint16",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10, 20, 30]}},
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [BYTES],
}


def sharding(**changes: object) -> dict[str, Any]:
    """Return an array of shards of 10 x 20 x 30 in 5 x 10 x 10, its configuration changed."""
    configuration = {
        "chunk_shape": [5, 10, 10],
        "codecs": [BYTES],
        "index_codecs": [BYTES, {"name": "crc32c"}],
        **changes,
    }
    return {**PLAIN, "codecs": [{"name": "sharding_indexed", "configuration": configuration}]}


def transpose(order: object) -> dict[str, Any]:
    return {"name": "transpose", "configuration": {"order": order}}


def test_an_array_is_understood() -> None:
    spec = parse_zarr_json(PLAIN)
    assert spec.shape == (100, 200, 300)
    assert spec.chunk == (10, 20, 30)
    assert spec.data_type is DataType.UINT16
    assert spec.key((1, 2, 3)) == "c/1/2/3"
    assert spec.stored_as == "zarr v3 raw"
    assert spec.shard is None


@pytest.mark.parametrize(
    ("encoding", "key"),
    [
        ("default", "c/1/2/3"),
        ({"name": "default", "configuration": {"separator": "."}}, "c.1.2.3"),
        ({"name": "v2"}, "1.2.3"),
        ({"name": "v2", "configuration": {"separator": "/"}}, "1/2/3"),
    ],
)
def test_chunks_are_named(encoding: object, key: str) -> None:
    assert parse_zarr_json({**PLAIN, "chunk_key_encoding": encoding}).key((1, 2, 3)) == key


def test_a_shard_is_understood() -> None:
    spec = parse_zarr_json(sharding())
    assert spec.chunk == (5, 10, 10)
    assert spec.shard is not None
    assert spec.shard.cells == (2, 2, 3)
    assert spec.shard.index_size == 16 * 12 + 4
    assert spec.key((5, 3, 4)) == "c/2/1/1"
    assert spec.inner_of((5, 3, 4)) == (1, 1, 1)
    assert spec.stored_as == "zarr v3 raw, sharded"


@pytest.mark.parametrize(
    "changes",
    [
        {"codecs": ["bytes"], "data_type": "uint8"},
        {"codecs": [{"name": "endian", "configuration": {"endian": "big"}}]},
        {"codecs": [transpose("F"), transpose("C"), transpose([2, 0, 1]), BYTES]},
        {"codecs": [BYTES, {"name": "numcodecs.lz4", "configuration": {"acceleration": 1}}]},
        {"codecs": [BYTES, {"name": "crc32c"}, {"name": "gzip"}, {"name": "crc32c"}]},
        {"an unknown": {"key": 1}, "storage_transformers": []},
        {"data_type": "bool", "fill_value": False, "codecs": ["bytes"]},
        {"dimension_names": ["z", None, "x"]},
    ],
)
def test_other_spellings_are_read(changes: dict[str, Any]) -> None:
    assert parse_zarr_json({**PLAIN, **changes}).shape == (100, 200, 300)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"zarr_format": 2}, "zarr_format is 2, not 3"),
        ({"node_type": "group"}, "node_type is 'group'"),
        ({"shape": []}, "shape is"),
        ({"data_type": "float16"}, "data_type is 'float16', which is not served"),
        ({"data_type": "float64"}, "data_type is 'float64'"),
        ({"data_type": "string"}, "data_type is 'string'"),
        ({"data_type": {"name": "struct", "configuration": {}}}, "data_type is 'struct'"),
        ({"chunk_grid": {"name": "rectilinear"}}, "chunk_grid is 'rectilinear'; only 'regular'"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 2]}}}, "chunk_shape is"),
        ({"chunk_key_encoding": "sideways"}, "chunk_key_encoding is 'sideways'"),
        (
            {"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "_"}}},
            "chunk_key_encoding separator is '_'",
        ),
        ({"storage_transformers": [{"name": "x"}]}, "storage_transformers are"),
        ({"codecs": []}, "codecs has none that makes bytes"),
        ({"codecs": [transpose([2, 1, 0])]}, "codecs has none that makes bytes"),
        ({"codecs": [transpose([1, 0]), BYTES]}, "does not have 3 dimensions"),
        (
            {"codecs": [transpose([0, 0, 1]), BYTES]},
            "codecs: transpose order is .* does not name each dimension once",
        ),
        ({"codecs": [{"name": "vlen-utf8"}]}, "codecs: 'vlen-utf8' is not supported"),
        ({"codecs": [{"name": "n5_default"}]}, "codecs: 'n5_default' is not supported"),
        ({"codecs": ["bytes"]}, "codecs: endian of bytes is None"),
        ({"codecs": [BYTES, {"name": "pcodec"}]}, "codecs: one is 'pcodec', which is not supported"),
        ({"codecs": [BYTES, {"name": "numcodecs.lzma", "configuration": {"format": 3}}]}, "lzma of format 3"),
        ({"fill_value": 65_536}, "fill_value is 65536, which uint16 cannot hold"),
        ({"dimension_names": ["z", "y"]}, "dimension_names is"),
        ({"dimension_names": [1, 2, 3]}, "dimension_names is 1, not a string"),
        (sharding(chunk_shape=[5, 10, 11]), "does not divide the shard"),
        (sharding(chunk_shape=[5, 10]), "chunk_shape is"),
        (sharding(codecs=[{"name": "sharding_indexed", "configuration": {}}]), "'sharding_indexed' is not"),
        (sharding(index_codecs=[BYTES, {"name": "gzip"}]), "index_codecs are"),
        (sharding(index_codecs=[BYTES, {"name": "crc32c"}, {"name": "crc32c"}]), "index_codecs are"),
        (sharding(index_location="middle"), "index_location is 'middle'"),
        ({"codecs": [*sharding()["codecs"], {"name": "gzip"}]}, "'gzip' behind sharding_indexed"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(document: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parse_zarr_json({**PLAIN, **document})


def test_a_shard_of_too_many_chunks_is_refused() -> None:
    big = sharding(chunk_shape=[1, 1, 1])
    big["chunk_grid"] = {"name": "regular", "configuration": {"chunk_shape": [256, 256, 256]}}
    with pytest.raises(FormatError, match="16,777,216 inner chunks"):
        parse_zarr_json(big)


@pytest.mark.parametrize("name", ["fill_value", "codecs", "data_type", "chunk_grid", "chunk_key_encoding"])
def test_what_is_missing_is_named(name: str) -> None:
    document = {key: value for key, value in PLAIN.items() if key != name}
    with pytest.raises(FormatError, match=f"{name} is missing"):
        parse_zarr_json(document)
