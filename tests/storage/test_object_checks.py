"""What is checked of every object, and how it is named."""

import gzip

import pytest

from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.storage.object_checks import check_size, check_version, if_match, name_object, undo_encoding
from dvidpc.storage.versions import Version


@pytest.mark.parametrize(
    ("url", "key", "name"),
    [
        ("s3://b/em", "s0/a", "s3://b/em/s0/a"),
        ("file:///", "info", "file:///info"),
        ("s3://b", "a\r\nb\x1b", "s3://b/a\\r\\nb\\x1b"),
        ("s3://b", "ü\u2028\ud800", "s3://b/ü\\u2028\\ud800"),
    ],
)
def test_name_is_one_line(url: str, key: str, name: str) -> None:
    assert name_object(url, key) == name


def test_size_is_checked() -> None:
    check_size("a", 9, 9)
    with pytest.raises(FormatError, match="a holds 10 bytes, more than the 9"):
        check_size("a", 10, 9)


def test_only_strong_etags_are_sent() -> None:
    assert [if_match(etag) for etag in (None, 'W/"1"', '"1"')] == [None, None, '"1"']


def test_known_etags_that_differ_are_a_replacement() -> None:
    for known, found in ((None, None), ('"1"', None), (None, '"1"'), ('"1"', '"1"'), ('W/"1"', '"1"')):
        check_version("a", known=Version(known), found=Version(found))
    with pytest.raises(ObjectChangedError, match='a was replaced: its etag is "2", not "1"'):
        check_version("a", known=Version('"1"'), found=Version('"2"'))


async def test_encoding_is_removed_and_errors_name_the_object() -> None:
    assert await undo_encoding("a", b"1", None, max_size=9) == b"1"
    assert await undo_encoding("a", gzip.compress(b"1"), "gzip", max_size=9) == b"1"
    with pytest.raises(FormatError, match="a: its gzip encoding is damaged"):
        await undo_encoding("a", b"not gzip at all", "gzip", max_size=9)
