"""Smooth random fields."""

import numpy as np
import pytest

from dvidpc.demo.fields import SmoothField

SHAPE = (90, 100, 110)
WHOLE = [np.arange(-2, n + 2) for n in SHAPE]


def test_mean_and_deviation_are_near_0_and_1() -> None:
    values = SmoothField(np.random.default_rng(2), SHAPE, spacing=5).at(WHOLE)
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert values.std() == pytest.approx(1, abs=0.1)


def test_neighbours_are_alike() -> None:
    values = SmoothField(np.random.default_rng(2), SHAPE, spacing=10).at(WHOLE)
    for axis in range(3):
        assert np.diff(values, axis=axis).std() < 0.2


def test_a_part_is_the_same_as_in_the_whole() -> None:
    field = SmoothField(np.random.default_rng(2), SHAPE, spacing=7.5)
    part = [np.arange(12, 60, 2), np.arange(99, 102), np.arange(0, 110, 3)]
    whole = field.at(WHOLE)
    assert field.at(part) == pytest.approx(whole[np.ix_(*(axis + 2 for axis in part))], abs=1e-5)
