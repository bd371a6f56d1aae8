"""What a refusal means, as plain values."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.storage.http.service import MAX_REFUSAL, Refusal, find_code

BOTH = frozenset({403, 404})


@pytest.mark.parametrize(
    ("status", "code", "missing_status", "absent"),
    [
        (404, "", {404}, True),
        (404, "NoSuchKey", {404}, True),
        (404, "NoSuchBucket", {404}, False),
        (404, "NoSuchKey", {403}, False),
        (403, "", {404}, False),
        (403, "", BOTH, True),
        (403, "AccessDenied", BOTH, True),
        (403, "ExpiredToken", BOTH, False),
        (403, "InvalidObjectState", BOTH, False),
        (403, "Unheard", BOTH, False),
        (500, "NoSuchKey", BOTH, False),
    ],
)
def test_only_a_reason_that_is_about_the_object_makes_it_absent(
    status: int,
    code: str,
    missing_status: frozenset[int],
    *,
    absent: bool,
) -> None:
    assert Refusal(status, {}, code).says_absent(frozenset(missing_status)) == absent


def test_code_is_the_first_whatever_key_is_quoted() -> None:
    body = b"<Error><Code>NoSuchBucket</Code><Key>&lt;Code&gt;NoSuchKey&lt;/Code&gt;</Key></Error>"
    assert find_code(body, None) == find_code(gzip.compress(body), "gzip") == "NoSuchBucket"


@given(st.binary() | st.binary().map(lambda data: b"<Code>" + data + b"</Code>"), st.none() | st.text())
def test_whatever_comes_is_a_word_or_nothing(body: bytes, content_encoding: str | None) -> None:
    code = find_code(body, content_encoding)
    words = code.split(".")  # one, or two as in KMS.NotFoundException
    is_code = code.isascii() and all(word.isalpha() for word in words) and len(words) <= 2
    assert code == "" or (is_code and len(code) <= 64)


def test_bomb_is_no_reason() -> None:
    assert find_code(gzip.compress(b"<Code>NoSuchKey</Code>" + bytes(2 * MAX_REFUSAL)), "gzip") == ""
