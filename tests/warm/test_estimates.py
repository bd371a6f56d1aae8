"""What is said before a prefetch starts."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.grid import Box
from dvidpc.types import Point
from dvidpc.warm.estimates import Estimate, describe_estimates, explain_misfit
from dvidpc.warm.outcome import ROW_BYTES
from dvidpc.warm.targets import Target

MIB = 2**20


def estimate(level: int, chunks: int, sampled: Sequence[int], instance: str = "em") -> Estimate:
    target = Target(instance, level, (), Box(Point(0, 0, 0), Point(1, 1, 1)))
    return Estimate(target, chunks, sampled)


def test_chunks_that_are_not_stored_take_nothing() -> None:
    size = MIB - ROW_BYTES
    assert estimate(0, 100, [size, 0, size, 0]).nbytes == 50 * MIB
    assert estimate(0, 100, [0, 0]).nbytes == 0
    assert estimate(0, 100, []).nbytes == 0


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=48))
def test_a_sample_of_everything_is_exact(sizes: list[int]) -> None:
    assert estimate(0, len(sizes), sizes).nbytes == sum(sizes) + ROW_BYTES * len(sizes)


def test_what_fits_is_no_misfit() -> None:
    some = [estimate(1, 1000, [MIB - ROW_BYTES])]
    assert explain_misfit(some, 1000 * MIB, MIB) is None
    assert explain_misfit(some, 1000 * MIB - 1, MIB) is not None


def test_a_misfit_names_the_scales_that_fit() -> None:
    size = MIB - ROW_BYTES
    three = [estimate(2, 10, [size]), estimate(1, 80, [size]), estimate(0, 640, [size])]
    assert explain_misfit(three, 100 * MIB, MIB) == (
        "the disk cache is too small: 730 chunks, about 730 MiB (em scale 2: 10 MiB, em scale 1: 80 MiB, em "
        "scale 0: 640 MiB), and [cache] disk is 100 MiB; what is read first would be evicted by what is read "
        "last; take --scales 1- (about 90 MiB), a smaller --box or a larger [cache] disk, or --force to go on"
    )
    assert "--scales 2- (about 10 MiB)" in str(explain_misfit(three, 89 * MIB, MIB))
    assert "take a smaller --box" in str(explain_misfit(three, 9 * MIB, MIB))
    several = [*three, estimate(0, 1, [1], instance="other")]
    assert "take a smaller --box" in str(explain_misfit(several, 100 * MIB, MIB))


def test_chunks_too_large_for_the_cache_are_refused() -> None:
    text = explain_misfit([estimate(0, 1, [0, 3 * MIB, 2 * MIB])], 64 * MIB, MIB)
    assert text == (
        "the disk cache is too small: of 64 MiB ([cache] disk), no chunk may take more than 1.0 MiB; those "
        "of em scale 0 have 2.0 MiB and more; take a larger [cache] disk"
    )
    assert explain_misfit([estimate(0, 2, [3 * MIB, 1000])], 64 * MIB, MIB) is None


def test_an_estimate_is_one_line() -> None:
    assert describe_estimates([estimate(3, 1, [100 * MIB])]) == "1 chunk, about 100 MiB (em scale 3: 100 MiB)"
