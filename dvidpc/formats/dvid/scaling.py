"""Scales images exactly as DVID does.

Along each axis DVID repeats every source pixel as many times as there are target pixels. Each target pixel is
the mean, rounded down, of as many of these as there are source pixels.
(image.go:795-893, 3400c2cb)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]


def isotropic_extent(width: int, height: int, resolution: tuple[float, float]) -> tuple[int, int]:
    """Return how many voxels to read for an image of *width* times *height* square pixels.

    The finer axis is not scaled.  (geometry.go:414-446, 3400c2cb)

    Args:
        width: Pixels along the plane's first axis.
        height: Pixels along its second axis.
        resolution: Edge lengths of a voxel along both axes, in nanometers.
    """
    along, across = (np.float32(edge) for edge in resolution)
    half = np.float32(0.5)
    if along < across:
        return width, int(np.float32(height) * along / across + half)
    if across < along:
        return int(np.float32(width) * across / along + half), height
    return width, height


def scale_image(image: Image, width: int, height: int) -> Image:
    """Return *image*, `[..., row, column]`, scaled to *height* rows and *width* columns."""
    if image.shape[-1] != width:
        image = np.swapaxes(_scale_rows(np.swapaxes(image, -1, -2), width), -1, -2)
    if image.shape[-2] != height:
        image = _scale_rows(image, height)
    return image


def pick_pixels(image: Image, width: int, height: int) -> Image:
    """Return *image* at another size like `scale_image`, but pick the nearest pixel: for ids.

    DVID sums up ids, so that its pixels are ids that do not exist.
    """
    rows, columns = (
        (2 * np.arange(n) + 1) * there // (2 * n)
        for n, there in zip((height, width), image.shape[-2:], strict=True)
    )
    return image[..., rows[:, None], columns]


def _scale_rows(image: Image, rows: int) -> Image:
    """Scale along one axis; DVID scales both at once, but isotropic planes need only one."""
    there = image.shape[-2]
    scaled = np.empty((*image.shape[:-2], rows, image.shape[-1]), image.dtype)
    for row in range(rows):
        first, last = row * there // rows, ((row + 1) * there - 1) // rows
        edges = np.arange(first, last + 2) * rows
        edges[0], edges[-1] = row * there, (row + 1) * there
        scaled[..., row, :] = _mean(image[..., first : last + 1, :], np.diff(edges), there)
    return scaled


def _mean(rows: Image, weights: NDArray[Any], total: int) -> Image:
    """Return the weighted mean of *rows*, rounded down for integers; *weights* add up to *total*."""
    if rows.shape[-2] == 1:
        return rows[..., 0, :]
    if rows.dtype.kind == "f":
        return np.asarray(np.tensordot(weights / total, rows, (0, rows.ndim - 2)))
    if rows.dtype.kind == "i":
        return np.asarray((rows.astype(np.int64) * weights[:, None]).sum(-2) // total)
    # Split into quotient and remainder so that no product of a 64-bit voxel with its weight overflows.
    column = weights.astype(np.uint64)[:, None]
    quotient, remainder = np.divmod(rows.astype(np.uint64), np.uint64(total))
    return np.asarray((quotient * column).sum(-2) + (remainder * column).sum(-2) // np.uint64(total))
