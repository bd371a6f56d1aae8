"""Read planes at any angle, patch by patch: only the chunks that the plane passes through."""

from contextlib import aclosing
from functools import partial

import numpy as np

from dvidpc.errors import TooLargeError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.oblique import Plane, Sampler, Vector, patches_of
from dvidpc.volume.cutout import Batch, read_chunks
from dvidpc.volume.grid_store import GridStore

_PATCH_SIDE = 256


async def read_oblique(
    grid: GridStore, plane: Plane, resolution_nm: Vector, max_chunks: int
) -> Voxels | None:
    """Return the pixels of *plane*, `[value, row, column]`; None if it meets no stored chunk.

    Args:
        grid: Which scale.
        plane: Which pixels.
        resolution_nm: Edges of a voxel.
        max_chunks: Most chunks that 256 x 256 pixels may need.

    Raises:
        TooLargeError: They need more, because the plane's pixels are much coarser than the voxels.
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    image: Voxels | None = None
    for patch in patches_of(plane, _PATCH_SIDE):
        sampler = await grid.in_pool(partial(Sampler, plane, patch, grid.grid, resolution_nm))
        if len(sampler.cells) > max_chunks:
            raise TooLargeError(
                f"{len(sampler.cells)} chunks needed for {patch.width} x {patch.height} pixels; this server "
                f"reads at most {max_chunks} (max_blocks): ask a coarser scale"
            )
        batches = read_chunks(grid, sampler.cells)
        async with aclosing(batches):
            async for batch in batches:
                await grid.in_pool(partial(_add, sampler, batch))
        pixels = await grid.in_pool(sampler.pixels)
        if pixels is None:
            continue
        if image is None:
            image = np.zeros((pixels.shape[0], plane.height, plane.width), pixels.dtype)
        image[:, patch.row : patch.row + patch.height, patch.column : patch.column + patch.width] = pixels
    return image


def _add(sampler: Sampler, batch: Batch) -> None:
    for cell, voxels in batch:
        sampler.add(cell, voxels)
