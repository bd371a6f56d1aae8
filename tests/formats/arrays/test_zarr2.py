"""`.zarray` documents: what is read, what is refused, and by which name."""

import math
from typing import Any

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.zarr2 import parse_zarray
from dvidpc.formats.data_types import DataType

PLAIN: dict[str, Any] = {
    "zarr_format": 2,
    "shape": [100, 200, 300],
    "chunks": [10, 20, 30],
    "dtype": "<u2",
    "compressor": None,
    "fill_value": 0,
    "order": "C",
    "filters": None,
}


def test_an_array_is_understood() -> None:
    spec = parse_zarray(PLAIN, (), None)
    assert spec.shape == (100, 200, 300)
    assert spec.chunk == (10, 20, 30)
    assert spec.data_type is DataType.UINT16
    assert spec.fill == 0
    assert spec.key((1, 2, 3)) == "1.2.3"
    assert spec.stored_as == "zarr v2 raw"


@pytest.mark.parametrize(
    ("changes", "separator", "key"),
    [
        ({}, None, "1.2.3"),
        ({"dimension_separator": "/"}, None, "1/2/3"),
        ({"dimension_separator": "."}, "/", "1/2/3"),
        ({}, "/", "1/2/3"),
    ],
)
def test_the_configuration_may_say_how_chunks_are_nested(
    changes: dict[str, Any], separator: str | None, key: str
) -> None:
    assert parse_zarray({**PLAIN, **changes}, (), separator).key((1, 2, 3)) == key


@pytest.mark.parametrize(
    ("dtype", "data_type"),
    [
        ("|u1", "uint8"),
        ("|b1", "uint8"),
        ("<u1", "uint8"),
        (">i4", "int32"),
        ("<i8", "int64"),
        (">f4", "float32"),
    ],
)
def test_simple_types_are_read(dtype: str, data_type: str) -> None:
    assert parse_zarray({**PLAIN, "dtype": dtype}, (), None).data_type == data_type


@pytest.mark.parametrize(
    "compressor",
    [
        {"id": "zstd", "level": 0, "checksum": False},
        {"id": "blosc", "cname": "snappy", "clevel": 5, "shuffle": -1, "blocksize": 0, "typesize": 2},
        {"id": "gzip", "level": 1, "more": "keys"},
        {"id": "lz4", "acceleration": 1},
        {"id": "lzma", "format": 1, "check": -1, "preset": None, "filters": None},
    ],
)
def test_keys_that_other_readers_refuse_are_passed_over(compressor: dict[str, Any]) -> None:
    assert parse_zarray({**PLAIN, "compressor": compressor}, (), None).codec.max_encoded_size > 12_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zarr_format": 3}, "zarr_format is 3, not 2"),
        ({"shape": None}, "shape is None"),
        ({"shape": []}, "shape is"),
        ({"shape": [100, 0, 300]}, "shape is 0, not at least 1"),
        ({"shape": [1] * 17, "chunks": [1] * 17}, "1 to 16 numbers"),
        ({"chunks": [10, 20]}, "chunks is .*; the array has 3 dimensions"),
        ({"chunks": [2**20, 2**20, 1]}, "take 2,199,023,255,552 bytes; the limit is 536,870,912"),
        ({"dtype": "<f8"}, "dtype is 'float64', which is not served"),
        ({"dtype": "<f2"}, "dtype is 'float16', which is not served"),
        ({"dtype": "<c8"}, "dtype is '<c8'"),
        ({"dtype": "<M8[ns]"}, "dtype is"),
        ({"dtype": "|S10"}, "dtype is"),
        ({"dtype": "|O"}, "dtype is"),
        ({"dtype": "|u2"}, "dtype is '|u2', which has no byte order"),
        ({"dtype": [["a", "<u2"]]}, "dtype is"),
        ({"filters": [{"id": "delta", "dtype": "<u2"}]}, "filters are \\['delta'\\]; no filter is supported"),
        ({"compressor": {"id": "imagecodecs_jpegxl"}}, "compressor is 'imagecodecs_jpegxl'"),
        ({"compressor": {"id": "lzma", "format": 3}}, "lzma of format 3"),
        ({"compressor": {"level": 1}}, "compressor id is missing"),
        ({"compressor": "zstd"}, "compressor is 'zstd', not a JSON object"),
        ({"order": "A"}, "order is 'A', not C or F"),
        ({"dimension_separator": "_"}, "dimension_separator is '_'"),
        ({"fill_value": 70_000}, "fill_value is 70000, which uint16 cannot hold"),
        ({"fill_value": -1}, "fill_value is -1, which uint16 cannot hold"),
        ({"fill_value": "NaN"}, "fill_value is 'NaN', not an integer"),
        ({"fill_value": 1.5}, "fill_value is 1.5, not an integer"),
        ({"dtype": "<f4", "fill_value": 1e39}, "fill_value is 1e\\+39, not a number"),
        ({"dtype": "<f4", "fill_value": "1e39"}, "fill_value is '1e39', not a number"),
        ({"fill_value": "AAA="}, "fill_value is 'AAA=', not an integer"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said.replace("|", "\\|")):
        parse_zarray({**PLAIN, **changes}, (), None)


@pytest.mark.parametrize(
    ("dtype", "fill", "expected"),
    [
        ("|u1", 255, 255),
        ("|u1", None, 0),
        ("|u1", "7", 7),
        ("|u1", 7.0, 7),
        ("|b1", False, 0),
        ("|b1", True, 1),
        ("<u8", 2**64 - 1, 2**64 - 1),
        ("<u8", "18446744073709551615", 2**64 - 1),
        ("<i8", -(2**63), -(2**63)),
        ("<f4", 0.1, float(np.float32(0.1))),
        ("<f4", "Infinity", math.inf),
        ("<f4", "-Infinity", -math.inf),
        ("<f4", "0x3fc00000", 1.5),
    ],
)
def test_fill_values_are_those_of_their_type(dtype: str, fill: object, expected: float) -> None:
    spec = parse_zarray({**PLAIN, "dtype": dtype, "fill_value": fill}, (), None)
    assert spec.fill == expected


def test_a_fill_value_may_be_no_number_or_missing() -> None:
    spec = parse_zarray({**PLAIN, "dtype": "<f4", "fill_value": "NaN"}, (), None)
    assert math.isnan(spec.fill)
    missing = {name: value for name, value in PLAIN.items() if name != "fill_value"}
    assert parse_zarray(missing, (), None).fill == 0
