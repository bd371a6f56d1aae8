"""`attributes.json` of datasets: what is read, what is refused, and by which name."""

from typing import Any

import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.n5 import parse_dataset
from dvidpc.formats.data_types import DataType

PLAIN: dict[str, Any] = {
    "dimensions": [300, 200, 100],
    "blockSize": [30, 20, 10],
    "dataType": "uint16",
    "compression": {"type": "raw"},
}


def test_a_dataset_is_understood() -> None:
    spec = parse_dataset(PLAIN)
    assert spec.shape == (300, 200, 100)
    assert spec.chunk == (30, 20, 10)
    assert spec.data_type is DataType.UINT16
    assert spec.key((1, 2, 3)) == "1/2/3"
    assert spec.stored_as == "N5 raw"
    assert spec.is_fastest_first
    assert spec.fill == 0


@pytest.mark.parametrize(
    "compression",
    [
        {"type": "gzip", "useZlib": False, "level": -1},
        {"type": "gzip", "useZlib": True, "level": -1},
        {
            "type": "blosc",
            "cname": "lz4",
            "clevel": 5,
            "shuffle": 1,
            "blocksize": 0,
            "typesize": 2,
            "nthreads": 1,
        },
        {"type": "zstd", "level": 3, "nbWorkers": 0, "windowLog": 0},
        {"type": "lz4", "blockSize": 65536},
        {"type": "bzip2", "blockSize": 9},
        {"type": "xz", "preset": 6},
    ],
)
def test_compressions_are_read_as_java_spells_them(compression: dict[str, Any]) -> None:
    spec = parse_dataset({**PLAIN, "compression": compression})
    assert spec.stored_as == f"N5 {compression['type']}"


@pytest.mark.parametrize("name", ["raw", "gzip", "bzip2", "xz"])
def test_version_0_names_the_type_only(name: str) -> None:
    old = {key: value for key, value in PLAIN.items() if key != "compression"}
    assert parse_dataset({**old, "compressionType": name}).stored_as == f"N5 {name}"


def test_jpeg_holds_bytes_only() -> None:
    jpeg = {**PLAIN, "compression": {"type": "jpeg", "quality": 80}}
    assert parse_dataset({**jpeg, "dataType": "uint8"}).stored_as == "N5 jpeg"
    with pytest.raises(FormatError, match="jpeg of uint16"):
        parse_dataset(jpeg)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dimensions": None}, "dimensions is None"),
        ({"blockSize": [30, 20]}, "blockSize is"),
        ({"blockSize": [2**16, 2**16, 1]}, "the limit is 536,870,912"),
        ({"dataType": "string"}, "dataType is 'string', which is not served"),
        ({"dataType": "float64"}, "dataType is 'float64'"),
        ({"dataType": "object"}, "dataType is 'object'"),
        ({"compression": {"type": "zfp"}}, "compression is 'zfp', which is not supported"),
        ({"compression": {}}, "compression type is missing"),
        ({"compression": "gzip"}, "compression is 'gzip', not a JSON object"),
        ({"codecs": []}, "codecs is set"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parse_dataset({**PLAIN, **changes})
