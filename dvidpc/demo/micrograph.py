"""The demo's tissue as an electron microscope would show it: what is as fine as a voxel, blur and noise."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.anatomy import LATTICE_STEP, MEMBRANE, Anatomy, Shape, make_anatomy
from dvidpc.demo.noise import Floats, smooth_noise
from dvidpc.demo.synapses import add_synapses

Image: TypeAlias = NDArray[np.uint8]

_SLAB = 4
"""Slices rendered at a time; even, so that a slab starts on a lattice point."""
_GRAIN = 97
"""The side of the cube of texture that is repeated."""
_MEMBRANE_HALF_WIDTH = 1.75
_SHOT_NOISE = 7.0
"""Standard deviation at a brightness of 128."""


# Some builds of BLAS compute with what lies behind a vector, drop the result, and leave a warning.
@np.errstate(invalid="ignore")
def make_micrograph(shape: Shape, seed: int, report: Callable[[float], None]) -> Image:
    """Made-up tissue, [z, y, x], the same for the same shape and seed; *report* hears the fraction done."""
    growth, synapses, texture, exposure = np.random.default_rng(seed).spawn(4)
    anatomy = make_anatomy(growth, shape, lambda done: report(0.6 * done))
    vesicles = add_synapses(synapses, anatomy)
    grain = 4.5 * smooth_noise(texture, (_GRAIN,) * 3, 2) + 3.5 * smooth_noise(texture, (_GRAIN,) * 3, 4.5)
    image = np.empty(shape, np.uint8)
    for slab in _slabs(shape[0]):
        image[slab] = _render(anatomy, grain, slab, shape)
        report(0.6 + 0.2 * slab.stop / shape[0])
    _stamp_vesicles(image, vesicles)
    _expose(exposure, image, lambda done: report(0.8 + 0.2 * done))
    return image


def _slabs(depth: int) -> Iterator[slice]:
    for start in range(0, depth, _SLAB):
        yield slice(start, min(start + _SLAB, depth))


def _render(anatomy: Anatomy, grain: Floats, slab: slice, shape: Shape) -> Image:
    """Slices of the tissue, sharp and without noise."""
    points = slice(slab.start // LATTICE_STEP, (slab.stop + 1) // LATTICE_STEP + 1)
    size = (slab.stop - slab.start, *shape[1:])
    value = _interpolate(anatomy.shade[points], size)
    starts = (slab.start, 0, 0)
    value += grain[np.ix_(*(np.arange(s, s + n) % _GRAIN for s, n in zip(starts, size, strict=True)))]
    depth = _interpolate(anatomy.depth[points], size)
    depth *= 1 / _MEMBRANE_HALF_WIDTH
    np.square(depth, out=depth)
    np.square(depth, out=depth)
    membrane = np.reciprocal(depth + 1)
    value += (MEMBRANE - value) * membrane
    return np.clip(value, 0, 255).astype(np.uint8)


def _interpolate(lattice: Floats, size: tuple[int, ...]) -> Floats:
    """Values on voxels from those on lattice points."""
    for axis, count in enumerate(size):
        points = np.moveaxis(lattice, axis, 0)
        voxels = np.empty((2 * len(points) - 1, *points.shape[1:]), np.float32)
        voxels[::2] = points
        voxels[1::2] = (points[1:] + points[:-1]) / 2
        lattice = np.moveaxis(voxels[:count], 0, axis)
    return np.ascontiguousarray(lattice)


def _stamp_vesicles(image: Image, centres: NDArray[np.int64]) -> None:
    """Draw a dark shell with a light middle at each centre."""
    radius = 4
    distance = np.sqrt(((np.indices((2 * radius + 1,) * 3) - radius) ** 2).sum(axis=0))
    shell = (1 - 0.4 * np.exp(-(((distance - 2) / 0.9) ** 2))).astype(np.float32)
    limit = np.array(image.shape) - radius
    for z, y, x in centres[((centres >= radius) & (centres < limit)).all(axis=1)]:
        around = tuple(slice(c - radius, c + radius + 1) for c in (z, y, x))
        image[around] = image[around] * shell


def _expose(rng: np.random.Generator, image: Image, report: Callable[[float], None]) -> None:
    """Blur the image and make it noisy and unevenly bright, as a microscope does; in place."""
    depth, height, width = image.shape
    light = 4 * (smooth_noise(rng, (height,), 150)[:, None] + smooth_noise(rng, (width,), 150))
    light -= light.mean()
    beam = 3 * smooth_noise(rng, (depth,), 60)
    before = image[:1].astype(np.float32)
    for slab in _slabs(depth):
        after = image[min(slab.stop, depth - 1)]
        sharp = np.concatenate([before, image[slab], after[None]]).astype(np.float32)
        before = sharp[-2:-1]
        value = _blur(sharp) + light + beam[slab, None, None]
        noise = rng.standard_normal(value.shape, dtype=np.float32)
        value += noise * np.sqrt(np.maximum(value, 0)) * np.float32(_SHOT_NOISE / np.sqrt(128))
        image[slab] = np.clip(value, 0, 255)
        report(slab.stop / depth)


def _blur(slab: Floats) -> Floats:
    """Weigh neighbours 1:2:1 along each axis; takes a slice more at either end than it returns."""
    padded = np.pad(slab, [(0, 0), (1, 1), (1, 1)], mode="edge")
    for axis in range(3):
        lines = np.moveaxis(padded, axis, 0)
        padded = np.moveaxis((lines[:-2] + lines[2:]) * _QUARTER + lines[1:-1] * _HALF, 0, axis)
    return padded


_QUARTER, _HALF = np.float32(0.25), np.float32(0.5)
