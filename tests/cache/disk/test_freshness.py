"""When bytes on disk are served, compared or read again."""

import pytest

from dvidpc.cache.disk.freshness import Use, choose_use, may_stand_in, proves
from dvidpc.cache.loading_cache import FRESH_S, STALE_S
from dvidpc.storage.versions import Version

ETAG = Version('"a"', 10)
NOW = 1e9


@pytest.mark.parametrize(
    ("version", "age_s", "trusted_s", "use"),
    [
        (ETAG, 0, 1e6, Use.SERVE),
        (ETAG, FRESH_S - 1, 1e6, Use.SERVE),
        (ETAG, FRESH_S, 1e6, Use.COMPARE),
        (ETAG, 1e8, 1e8, Use.COMPARE),
        (ETAG, 100, 100, Use.SERVE),
        (ETAG, 101, 100, Use.COMPARE),
        (ETAG, -0.5, 1e6, Use.SERVE),
        (ETAG, -100, 1e6, Use.COMPARE),
        (Version(), FRESH_S - 1, 1e6, Use.SERVE),
        (Version(), FRESH_S, 1e6, Use.READ),
        (Version(None, 10, "then"), FRESH_S, 1e6, Use.READ),
        (Version(None, 10, "then", is_settled=True), FRESH_S, 1e6, Use.COMPARE),
        (Version(None, None, "then", is_settled=True), FRESH_S, 1e6, Use.READ),
        (Version(None, 10, number="3"), FRESH_S, 1e6, Use.COMPARE),
        (Version('"a"', 0), FRESH_S, 1e6, Use.READ),
    ],
)
def test_use_of_bytes_that_were_confirmed_some_time_ago(
    version: Version, age_s: float, trusted_s: float, use: Use
) -> None:
    assert choose_use(version, NOW - age_s, now=NOW, trusted_since=NOW - trusted_s) is use


@pytest.mark.parametrize(
    ("age_s", "may"),
    [
        (0, True),
        (FRESH_S + STALE_S - 1, True),
        (FRESH_S + STALE_S, False),
        (-0.5, True),
        (-3600, False),
    ],
)
def test_old_bytes_stand_in_for_a_while(age_s: float, *, may: bool) -> None:
    assert may_stand_in(NOW - age_s, now=NOW) is may


SETTLED = Version(None, 10, "then", is_settled=True)
FRESH = Version(None, 10, "then")


@pytest.mark.parametrize(
    ("one", "other", "do"),
    [
        (ETAG, ETAG, True),
        (ETAG, Version('W/"a"'), True),
        (ETAG, Version('"b"', 10), False),
        (ETAG, Version('"a"', 11), False),
        (ETAG, Version(None, 10), False),
        (Version(), Version(), False),
        (SETTLED, SETTLED, True),
        (SETTLED, FRESH, False),
        (FRESH, SETTLED, False),
        (SETTLED, Version(None, 10, "later", is_settled=True), False),
        (Version(number="1"), Version(number="1"), True),
        (Version(number="1"), Version(number="2"), False),
    ],
)
def test_versions_are_the_same_whichever_was_read_first(one: Version, other: Version, *, do: bool) -> None:
    assert proves(one, other) is do
    assert proves(other, one) is do
