"""Boxes and planes of volumes: paths that request them, and what tensorstore reads there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import simplejpeg

from tests.serving import Server, config_text, serving
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, write_volume


@asynccontextmanager
async def serving_volume(
    spec: VolumeSpec, directory: Path, more: str = ""
) -> AsyncIterator[tuple[Server, list[Voxels]]]:
    """Write a volume and serve it as `em`; yield the server and the voxels of each scale."""
    truth = write_volume(directory / "volume", spec)
    async with serving(config_text({"em": directory / "volume"}, more), directory) as server:
        yield server, truth


def offset_of(spec: VolumeSpec, level: int) -> XYZ:
    """Return the first voxel of a scale."""
    x, y, z = (o // 2**level for o in spec.offset)
    return x, y, z


def joined(numbers: tuple[int, ...]) -> str:
    """Return a point as a path has it."""
    return "_".join(map(str, numbers))


def tolerance(spec: VolumeSpec) -> int:
    """Return by how much grey levels may differ: two JPEG decoders may round differently."""
    return 2 if spec.encoding == "jpeg" else 0


def assert_equal(ours: Voxels, expected: Voxels, spec: VolumeSpec) -> None:
    """Check that voxels have the expected shape, type and values."""
    assert ours.shape == expected.shape
    assert ours.dtype == expected.dtype
    assert np.abs(ours.astype(float) - expected.astype(float)).max() <= tolerance(spec)


def expected_plane(
    truth: Voxels, spec: VolumeSpec, dims: str, size: tuple[int, int], offset: XYZ, level: int = 0
) -> Voxels:
    """Return the rows of a slice as an image has them."""
    extent = {"xy": (*size, 1), "xz": (size[0], 1, size[1]), "yz": (1, *size)}[dims]
    box = expected_box(truth, offset_of(spec, level), offset, extent)[..., 0]
    return box.reshape(size).T


def grey_box(payload: bytes, size: XYZ) -> Voxels:
    """Return the voxels `[x, y, z]` of a box that is one grey JPEG."""
    pixels: Voxels = simplejpeg.decode_jpeg(payload, colorspace="GRAY")
    assert pixels.shape[2] == 1
    return pixels.reshape(size[::-1]).transpose(2, 1, 0)


def listed(body: bytes, size: XYZ) -> Voxels:
    """Return the voxels `[x, y, z]` of a box of uint8 voxels, x fastest."""
    return np.frombuffer(body, np.uint8).reshape(size[::-1]).transpose(2, 1, 0)
