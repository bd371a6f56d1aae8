"""Content-Encodings, honest and hostile."""

import tracemalloc
from collections.abc import Callable

import pytest

from dvidpc.errors import FormatError
from dvidpc.storage.content_encoding import decode_content, gzip_of
from tests.storage.contract import ENCODERS, MIB

DATA = bytes(range(256)) * 1000
each_encoding = pytest.mark.parametrize(("name", "encode"), ENCODERS.items())


@each_encoding
@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_encoding_is_undone(name: str, encode: Callable[[bytes], bytes], data: bytes) -> None:
    assert decode_content(encode(data), name, max_size=len(data)) == data


@pytest.mark.parametrize("name", [None, "", "identity", "aws-chunked", "Identity, aws-chunked"])
def test_no_encoding_leaves_the_bytes(name: str | None) -> None:
    assert decode_content(b"abc", name, max_size=3) == b"abc"


@pytest.mark.parametrize("name", ["aws-chunked,gzip", "GZIP", "x-gzip", " gzip , identity"])
def test_spellings_of_gzip(name: str) -> None:
    assert decode_content(ENCODERS["gzip"](DATA), name, max_size=len(DATA)) == DATA


@pytest.mark.parametrize(
    ("name", "is_gzip"),
    [("gzip", True), ("x-gzip", True), (" GZIP ", True), ("", False), (None, False), ("gzip, gzip", False)],
)
def test_only_one_gzip_stream_is_gzip(name: str | None, *, is_gzip: bool) -> None:
    for data in (b"", b"x", DATA):
        stored = ENCODERS["gzip"](data)
        assert gzip_of(stored, name, data) == (stored if is_gzip else None)
    two = ENCODERS["gzip"](b"ab") + ENCODERS["gzip"](b"cde")
    assert gzip_of(two, name, b"abcde") is None


def test_encodings_are_undone_last_first() -> None:
    data = ENCODERS["br"](ENCODERS["zstd"](ENCODERS["gzip"](DATA)))
    assert decode_content(data, "gzip, zstd, br", max_size=len(DATA)) == DATA


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_streams_in_a_row_are_one_object(name: str) -> None:
    encode = ENCODERS[name]
    assert decode_content(encode(b"ab") + encode(b"") + encode(b"cd"), name, max_size=4) == b"abcd"


@each_encoding
def test_every_cut_is_noticed(name: str, encode: Callable[[bytes], bytes]) -> None:
    data = encode(b"0123456789" * 10)
    for length in range(len(data)):
        with pytest.raises(FormatError):
            decode_content(data[:length], name, max_size=MIB)


@each_encoding
@pytest.mark.parametrize("garbage", [b"\0", b"garbage", b"x" * 100_000])
def test_trailing_bytes_are_noticed(name: str, encode: Callable[[bytes], bytes], garbage: bytes) -> None:
    with pytest.raises(FormatError):
        decode_content(encode(DATA) + garbage, name, max_size=MIB)


@pytest.mark.parametrize("name", ENCODERS)
def test_bytes_that_are_not_encoded_are_noticed(name: str) -> None:
    with pytest.raises(FormatError):
        decode_content(b"certainly not encoded at all", name, max_size=MIB)


@each_encoding
def test_one_byte_too_many_is_refused(name: str, encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(FormatError, match="more than"):
        decode_content(encode(DATA), name, max_size=len(DATA) - 1)


@each_encoding
def test_bomb_takes_no_memory(name: str, encode: Callable[[bytes], bytes]) -> None:
    bomb = encode(bytes(48 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than"):
            decode_content(bomb, name, max_size=MIB)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_bomb_within_a_bomb_is_refused() -> None:
    with pytest.raises(FormatError, match="more than"):
        decode_content(ENCODERS["gzip"](ENCODERS["gzip"](bytes(16 * MIB))), "gzip, gzip", max_size=MIB)


@pytest.mark.parametrize("name", ["deflate", "compress", "gzip;q=1", "gzip," * 5])
def test_other_encodings_are_refused(name: str) -> None:
    with pytest.raises(FormatError, match="Content-Encoding"):
        decode_content(ENCODERS["gzip"](b"x"), name, max_size=MIB)
