"""The requested bytes are found in a body, or the body is refused."""

import pytest

from dvidpc.errors import FormatError, StoreError
from dvidpc.storage.http.ranges import bytes_before
from dvidpc.types import ByteRange


@pytest.mark.parametrize(
    ("status", "content_range", "encoding", "before"),
    [(206, "bytes 4-7/10", "", 0), (206, "bytes 4-7/*", "", 0), (200, "", "", 4), (200, "", "identity", 4)],
)
def test_range_is_found(status: int, content_range: str, encoding: str, before: int) -> None:
    assert bytes_before("a", ByteRange(4, 8), status, content_range, encoding) == before


@pytest.mark.parametrize(
    ("status", "content_range", "encoding", "words"),
    [
        (200, "", "gzip", "encodes it \\('gzip'\\)"),
        (206, "", "", "sends the range '' instead"),
        (206, "bytes 3-7/10", "", "instead"),
        (206, "bytes 4-8/10", "", "instead"),
        (206, "bytes 4-6/10", "", "instead"),
    ],
)
def test_other_bodies_are_failures(status: int, content_range: str, encoding: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        bytes_before("a", ByteRange(4, 8), status, content_range, encoding)


def test_whole_object_is_not_searched_for_a_range_far_inside() -> None:
    assert bytes_before("a", ByteRange(4, 8), 200, "", "") == 4
    with pytest.raises(StoreError, match="all of it"):
        bytes_before("a", ByteRange(5, 9), 200, "", "")


def test_object_that_ends_within_the_range_is_a_format_error() -> None:
    with pytest.raises(FormatError, match="a ends at byte 7, before its bytes 4-8 do"):
        bytes_before("a", ByteRange(4, 8), 206, "bytes 4-6/7", "")
