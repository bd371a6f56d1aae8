"""Where the demo's neurites touch and talk: dark membranes, and vesicles next to them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.anatomy import LATTICE_STEP, MEMBRANE, Anatomy

Positions: TypeAlias = NDArray[np.int64]

_VOXELS_PER_ATTEMPT = 120_000
"""How often a synapse is tried for; most places are unfit."""
_VOXELS_PER_LOOSE_VESICLE = 5_000
_INSIDE = (6, 30)
"""Depths from which a synapse is looked for,"""
_LONGEST_WALK = 20
"""and how many lattice points away at most."""
_AT_MEMBRANE = 1.5
_CLEAR_DEPTH = 3
_CLEAR_SHADE = 132
"""Cytoplasm brighter than this is free of mitochondria and reticulum."""


def add_synapses(rng: np.random.Generator, anatomy: Anatomy) -> Positions:
    """Thicken membranes at synapses; returns where vesicles are, [n, 3] voxels.

    From a place inside a neurite we walk until we meet a membrane. That is the synapse;
    the vesicles are between the two.
    """
    extent = np.array(anatomy.depth.shape)
    clouds = [_scatter_loose_vesicles(rng, anatomy)]
    for _ in range(int(extent.prod()) * LATTICE_STEP**3 // _VOXELS_PER_ATTEMPT):
        start = rng.integers(0, extent)
        walk = start + np.outer(np.arange(_LONGEST_WALK), _direction(rng))
        path = np.rint(np.clip(walk, 0, extent - 1)).astype(np.int64)
        depth = anatomy.depth[tuple(path.T)]
        met = np.flatnonzero(depth < _AT_MEMBRANE)
        if not _INSIDE[0] < depth[0] < _INSIDE[1] or not met.size:
            continue
        site = path[met[0]]
        _thicken_membrane(anatomy, site)
        clouds.append(_scatter_vesicles(rng, anatomy, start, (start + 2 * site) / 3))
    return np.concatenate(clouds)


def _scatter_loose_vesicles(rng: np.random.Generator, anatomy: Anatomy) -> Positions:
    count = anatomy.depth.size * LATTICE_STEP**3 // _VOXELS_PER_LOOSE_VESICLE
    spots = rng.integers(0, anatomy.depth.shape, (count, 3))
    return spots[_is_clear(anatomy, spots)] * LATTICE_STEP


def _is_clear(anatomy: Anatomy, points: Positions) -> NDArray[np.bool_]:
    """Whether lattice points are in cytoplasm with nothing else in it."""
    at = tuple(points.T)
    clear: NDArray[np.bool_] = (anatomy.depth[at] > _CLEAR_DEPTH) & (anatomy.shade[at] > _CLEAR_SHADE)
    return clear


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    vector = rng.standard_normal(3)
    return vector / np.linalg.norm(vector)


def _thicken_membrane(anatomy: Anatomy, site: Positions) -> None:
    """Darken the membrane around lattice point *site*, and what is next to it."""
    low = np.maximum(site - 7, 0)
    around = tuple(slice(a, b) for a, b in zip(low, site + 8, strict=True))
    depth = anatomy.depth[around]
    offsets = np.indices(depth.shape) + (low - site)[:, None, None, None]
    darkness = np.exp(-(offsets**2).sum(axis=0) / 14) / (1 + (depth / 4) ** 4)
    anatomy.shade[around] -= 0.85 * darkness * (anatomy.shade[around] - MEMBRANE)


def _scatter_vesicles(
    rng: np.random.Generator, anatomy: Anatomy, start: Positions, middle: NDArray[np.float64]
) -> Positions:
    """Voxels around lattice point *middle* in clear cytoplasm of the neurite that *start* is in."""
    extent = np.array(anatomy.depth.shape)
    spots = rng.normal(middle, 8, (int(rng.integers(80, 260)), 3))
    spots = spots[((spots > 2) & (spots < extent - 3)).all(axis=1)]
    clear = _is_clear(anatomy, np.rint(spots).astype(np.int64))
    for fraction in (0.2, 0.4, 0.6, 0.8):
        between = np.rint(start + fraction * (spots - start)).astype(np.int64)
        clear &= anatomy.depth[tuple(between.T)] > _CLEAR_DEPTH
    return np.rint(LATTICE_STEP * spots[clear]).astype(np.int64)
