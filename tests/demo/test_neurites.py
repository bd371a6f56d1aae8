"""Neurites as strings of balls."""

import numpy as np
import pytest

from dvidpc.demo.neurites import Balls, grow_neurites

SHAPE = (60, 80, 100)


@pytest.fixture(scope="module")
def balls() -> Balls:
    return grow_neurites(np.random.default_rng(1), SHAPE)


def test_owners_ascend_and_mitochondria_fit_into_their_balls(balls: Balls) -> None:
    assert (np.diff(balls.owners) >= 0).all()
    assert (balls.cores < balls.radii).all()
    assert (balls.cores > 0).any()


def test_distances_are_those_from_the_surface(balls: Balls) -> None:
    places = np.array([[0, 30, 59], [0, 40, 79], [0, 50, 99]], np.float32)
    expected = np.linalg.norm(balls.centres[:, :, None] - places, axis=1) - balls.radii[:, None]
    assert balls.distances(places) == pytest.approx(expected, abs=0.05)


def test_nearest_balls_are_those_within_the_lead(balls: Balls) -> None:
    place = np.array([[30], [40], [50]], np.float32)
    distances = balls.distances(place).ravel()
    nearest = balls.nearest(place, 20)
    assert 0 < len(nearest.radii) < len(balls.radii)
    assert len(nearest.radii) == (distances < distances.min() + 20).sum()


def test_balls_of_a_neurite_overlap() -> None:
    balls = grow_neurites(np.random.default_rng(1), (400, 400, 400))
    same = np.diff(balls.owners) == 0
    apart = np.linalg.norm(np.diff(balls.centres, axis=0), axis=1)
    assert (apart < balls.radii[1:] + balls.radii[:-1])[same].mean() > 0.9
