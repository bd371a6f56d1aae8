"""Keys of segments: what they name, and in which order they are listed."""

import pytest

from dvidpc.data.segment_keys import SegmentKey, list_keys, parse_key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("77.ngmesh", SegmentKey(77, None, ".ngmesh")),
        ("77_swc", SegmentKey(77, None, "_swc")),
        ("77_1.ngmesh", SegmentKey(77, 1, ".ngmesh")),
        ("18446744073709551615.drc", SegmentKey(2**64 - 1, None, ".drc")),
        ("0.obj", SegmentKey(0, None, ".obj")),
        ("18446744073709551616.drc", None),
        ("077.ngmesh", None),
        ("77", None),
        ("-7.ngmesh", None),
        ("77.ngmesh\n", None),
        ("\u0667\u0667.ngmesh", None),
        ("", None),
    ],
)
def test_a_key_is_an_id_and_a_form(key: str, expected: SegmentKey | None) -> None:
    assert parse_key(key) == expected


def test_keys_are_sorted_by_their_bytes() -> None:
    keys = list_keys([9, 10, 2**64 - 1], (".b", ".a"), "", None)
    assert keys == ["10.a", "10.b", "18446744073709551615.a", "18446744073709551615.b", "9.a", "9.b"]
    assert list_keys([9, 10], (".a", ".b"), "10.b", "9.a") == ["10.b", "9.a"]
