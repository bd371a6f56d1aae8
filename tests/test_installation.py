"""What benchmarks/installation.py reckons: by hand where that is possible, and against a slow simulation."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.installation import MOST_BUSY, PEOPLE, egress, plan, results, shares
from benchmarks.trace import Region, Shares, seen_at, simulate
from dvidpc.types import BlockCoord


def test_egress_is_paid_in_steps() -> None:
    assert egress(1e12) == pytest.approx(90)
    assert egress(60e12) == pytest.approx(900 + 40 * 85 + 10 * 70)
    assert egress(200e12) == pytest.approx(900 + 3400 + 7000 + 50 * 50)


def test_a_place_shows_three_slices_and_two_half_views() -> None:
    seen = seen_at(BlockCoord(20, 20, 20), view=(4, 2))
    assert len(seen) == len(set(seen)) == 3 * 8 + 8
    assert {z for _, _, z in seen} == {19, 20, 21}
    assert {x for x, _, z in seen if z == 20} == set(range(18, 26))


def test_the_blocks_of_a_trace_lie_in_the_region() -> None:
    region = Region(BlockCoord(8, 6, 4), view=(3, 2), away=0)
    blocks = [region.block(number) for number in region.trace(3, 20)]
    assert len(blocks) == 3 * 20 * (3 * 6 + 2 * 2)
    assert {max(axis) for axis in zip(*blocks, strict=True)} == {7, 5, 3}
    assert min(map(min, blocks)) == 0


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 6), st.integers(0, 9))
def test_the_simulation_drops_what_was_used_least_recently(blocks: list[int], memory: int, disk: int) -> None:
    held: tuple[list[int], list[int]] = ([], [])
    hits = [0, 0]
    for block in blocks:
        for level, size in enumerate((memory, disk)):
            is_held = block in held[level]
            if is_held:
                held[level].remove(block)
            held[level].append(block)
            del held[level][: max(0, len(held[level]) - size)]
            if is_held:
                hits[level] += 1
                break
    expected = Shares(hits[0] / len(blocks), hits[1] / len(blocks))
    assert simulate(blocks, memory=memory, disk=disk) == expected


def test_shares_are_those_of_the_next_smaller_cache() -> None:
    figures = {"shares": [[0.5, 0.3, 0.6], [2, 0.4, 0.5]]}
    assert shares(figures, 1.9) == (0.3, 0.6)
    assert shares(figures, 2) == (0.4, 0.5)
    assert shares(figures, 0.1) == (0.3, 0.6)


@pytest.mark.parametrize("people", PEOPLE)
def test_one_server_fewer_would_be_too_few(people: int) -> None:
    figures: dict[str, Any] = results()["figures"]
    planned = plan(figures, people)
    assert planned.use[planned.first] <= MOST_BUSY
    assert (
        planned.servers == 2
        or planned.use[planned.first] * planned.servers / (planned.servers - 1) > MOST_BUSY
    )
    assert planned.memory + planned.disk + planned.bucket == pytest.approx(1)
