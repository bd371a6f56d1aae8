"""Two reads of an object saw the same content or not, by what the store said of each."""

import pytest

from dvidpc.storage.versions import Comparison, Version, compare, is_proven_same

OLD = "Wed, 01 Jan 2025 00:00:00 GMT"
NEW = "Thu, 02 Jan 2025 00:00:00 GMT"
SAME, ODD, REPLACED = Comparison.SAME, Comparison.SAME_BUT_ETAG, Comparison.REPLACED


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (Version(), Version(), SAME),
        (Version('"a"'), Version(), SAME),
        (Version('"a"'), Version('"a"'), SAME),
        (Version('W/"a"'), Version('"a"'), SAME),
        (Version('"a"', 9, OLD, is_settled=True), Version('"a"', 9, NEW), SAME),
        (Version('"a"', 9), Version('"a"', 8), REPLACED),
        (Version('"a"'), Version('"b"'), REPLACED),
        (Version('"a"', 9), Version('"b"', 9), REPLACED),
        (Version('"a"', 9, OLD, is_settled=True), Version('"b"', 9, OLD), ODD),
        (Version('"a"', 9, OLD), Version('"b"', 9, OLD, is_settled=True), REPLACED),
        (Version('"a"', 9, OLD, is_settled=True), Version('"b"', 9, NEW), REPLACED),
        (Version('"a"', 9, OLD, is_settled=True), Version('"b"', 8, OLD), REPLACED),
        (Version('"a"', 9, OLD, is_settled=True), Version('"b"', None, OLD), REPLACED),
        (Version('"a"', None, OLD, is_settled=True), Version('"b"', None, OLD), REPLACED),
        (Version('"a"', number="1"), Version('"b"', number="1"), ODD),
        (Version('"a"', number="1"), Version('"b"', number="2"), REPLACED),
        (
            Version('"a"', 9, OLD, is_settled=True, number="1"),
            Version('"b"', 9, OLD, is_settled=True, number="2"),
            REPLACED,
        ),
        (Version(None, 9), Version(None, 8), REPLACED),
        (Version(None, 9, OLD), Version(None, 9, NEW), REPLACED),
        (Version(None, 9, OLD), Version(None, 9, OLD), SAME),
        (Version(None, number="1"), Version(None, number="1"), SAME),
        (Version(None, number="1"), Version(None, number="2"), REPLACED),
    ],
)
def test_comparison(known: Version, found: Version, expected: Comparison) -> None:
    assert compare(known, found) is expected


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (Version(), Version(), False),
        (Version('"a"'), Version(), False),
        (Version('"a"'), Version('W/"a"'), True),
        (Version('"a"', 9, OLD, is_settled=True), Version(None, 9, OLD), True),
        (Version('"a"', 9, OLD), Version(None, 9, OLD), False),
        (Version(number="1"), Version(number="1"), True),
    ],
)
def test_proof(known: Version, found: Version, *, expected: bool) -> None:
    assert is_proven_same(known, found) is expected
