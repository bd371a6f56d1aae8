"""Answers with many keys and values: read back by Python's tarfile, and by a decoder of this file."""

import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.key_requests import parse_protobuf_reads
from dvidpc.formats.dvid.keyvalues import encode_json, encode_protobuf, encode_tar

PAIRS = [("a.ngmesh", b"\x00\x01"), ("none", None), ("b&c", b"x" * 1000)]


def test_protobuf_has_a_field_for_each_key_and_each_value() -> None:
    assert encode_protobuf(PAIRS[:2]) == b"\x0a\x0e\x0a\x08a.ngmesh\x12\x02\x00\x01\x0a\x06\x0a\x04none"
    assert encode_protobuf([("k", b"x" * 300)]) == b"\x0a\xb2\x02\x0a\x01k\x12\xac\x02" + b"x" * 300
    assert encode_protobuf([]) == b""


def test_an_archive_holds_a_file_for_each_key() -> None:
    archive = encode_tar(PAIRS)
    assert len(archive) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        contents = {each.name: tar.extractfile(each) for each in tar}
        assert {name: file.read() for name, file in contents.items() if file} == {
            key: value or b"" for key, value in PAIRS
        }
        assert {each.mode for each in tar} == {0o755}


@pytest.mark.parametrize("key", ["", "x" * 101, "ä", "a\0b"])
def test_a_key_that_is_no_file_name_is_refused(key: str) -> None:
    with pytest.raises(RequestError, match="cannot be the name of a file"):
        encode_tar([(key, b"")])


def test_json_holds_values_as_they_are() -> None:
    pairs = [("a&b", b'{"x": 1}'), ("none", None)]
    assert encode_json(pairs, check=True) == b'{"a\\u0026b":{"x": 1},"none":{}}'
    with pytest.raises(RequestError, match='bad JSON for key "k"'):
        encode_json([("k", b"1 0 2")], check=True)
    assert encode_json([("k", b"1 0 2")], check=False) == b'{"k":1 0 2}'


@given(st.lists(st.tuples(st.text(), st.none() | st.integers(0, 2**63).map(lambda n: str(n).encode()))))
def test_any_keys_come_back(pairs: list[tuple[str, bytes | None]]) -> None:
    encodable = [(key.encode(errors="replace").decode(), value) for key, value in pairs]
    document = json.loads(encode_json(encodable, check=True))
    assert list(document) == list(dict(encodable))
    names = [key for key, _ in encodable if len(key.encode()) < 128]
    message = b"".join(bytes([10, len(name.encode())]) + name.encode() for name in names)
    assert [read.key for read in parse_protobuf_reads(message)] == names
