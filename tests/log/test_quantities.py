"""Sizes, numbers and times in words."""

import pytest

from dvidpc.log.quantities import describe_count, describe_seconds, describe_size

SIZES = {
    0: "0 bytes",
    1023: "1023 bytes",
    1024: "1.0 KiB",
    40_000: "39 KiB",
    2**20 - 1: "1.0 MiB",
    int(9.94 * 2**20): "9.9 MiB",
    200 * 2**30: "200 GiB",
    3 * 2**50: "3.0 PiB",
    5000 * 2**50: "5000 PiB",
}
TIMES = {0: "0 s", 59.4: "59 s", 59.6: "1 min 0 s", 200: "3 min 20 s", 7500: "2 h 5 min", 360_000: "4 d 4 h"}


@pytest.mark.parametrize("nbytes", SIZES)
def test_a_size_is_short(nbytes: int) -> None:
    assert describe_size(nbytes) == SIZES[nbytes]


@pytest.mark.parametrize("seconds", TIMES)
def test_a_time_has_two_units(seconds: float) -> None:
    assert describe_seconds(seconds) == TIMES[seconds]


def test_one_has_no_plural() -> None:
    assert [describe_count(n, "chunk") for n in (0, 1, 2000)] == ["0 chunks", "1 chunk", "2,000 chunks"]
