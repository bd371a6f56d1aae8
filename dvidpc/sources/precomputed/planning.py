"""What is to be done with each scale of a volume, decided from its `info` alone."""

from dataclasses import dataclass
from enum import StrEnum

from dvidpc.errors import FormatError
from dvidpc.formats.codec import find_obstacle
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.info import Encoding, Scale, VolumeInfo
from dvidpc.sources.channels import Shown, shown_channels
from dvidpc.sources.precomputed.location import resolve_key
from dvidpc.types import Point


class Service(StrEnum):
    """How blocks come to be."""

    PASSED_THROUGH = "passed through"
    """A stored chunk is a block's payload as it is, but where the volume's end clips it."""
    RE_ENCODED = "re-encoded"
    """A block is one chunk, decoded and encoded in another way."""
    RE_GRIDDED = "re-gridded"
    """A block is put together from the chunks it touches."""


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """A scale that is served."""

    scale: Scale
    directory: str
    """Where its chunks are, as the store knows it."""
    grids: tuple[Grid, ...]
    """Of its copies, the one first that needs the fewest reads per block."""
    block_size: Point
    service: Service


@dataclass(frozen=True, slots=True)
class ScaleProblem:
    """A scale that cannot be served, and why."""

    level: int
    reason: str
    """One line that names the key or package at fault."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is to be done with a volume."""

    info: VolumeInfo
    shown: tuple[Shown, ...]
    """What the instances of every scale show."""
    plans: tuple[ScalePlan, ...]
    problems: tuple[ScaleProblem, ...]
    warnings: tuple[str, ...]
    """What some clients will take otherwise than it is."""


def survey_volume(info: VolumeInfo, directory: str, block_size: int | None) -> Survey:
    """Decide how to serve a volume.

    Args:
        info: What its `info` says.
        directory: Where that lies, as the store knows it.
        block_size: Voxels along each edge of a block; None: blocks are as large as chunks.

    Raises:
        FormatError: Nothing of it can be served.
    """
    shown = tuple(shown_channels(info.data_type, info.num_channels))
    plans = []
    problems = [ScaleProblem(refused.level, refused.reason) for refused in info.refused]
    for scale in info.scales:
        try:
            plans.append(_plan(info, scale, directory, block_size))
        except FormatError as error:
            problems.append(ScaleProblem(scale.level, str(error)))
    problems.sort(key=lambda problem: problem.level)
    if not plans:
        raise FormatError(f"no scale can be served: scale {problems[0].level}: {problems[0].reason}")
    return Survey(info, shown, tuple(plans), tuple(problems), tuple(_pyramid_warnings(plans)))


def _plan(info: VolumeInfo, scale: Scale, directory: str, block_size: int | None) -> ScalePlan:
    try:
        place = resolve_key(directory, scale.key)
    except FormatError as error:
        raise FormatError(f"key {scale.key!r} {error}") from error
    obstacle = find_obstacle(scale.encoding, info.data_type, info.num_channels)
    if obstacle is not None:
        raise FormatError(obstacle)
    block = _block_size(block_size, scale.grids[0])
    grids = tuple(sorted(scale.grids, key=lambda grid: (grid.reads_per_block(block), grid.chunk_size)))
    return ScalePlan(scale, place, grids, block, _service(info, scale, grids[0], block))


def _block_size(block_size: int | None, grid: Grid) -> Point:
    if block_size is not None:
        return Point(block_size, block_size, block_size)
    if len(set(grid.chunk_size)) > 1:
        raise FormatError(
            f'chunks of {times(grid.chunk_size)} voxels are no cubes, so block_size = "chunk" cannot be; '
            "give a number"
        )
    return grid.chunk_size


def _service(info: VolumeInfo, scale: Scale, grid: Grid, block: Point) -> Service:
    if grid.chunk_size != block or any(o % b for o, b in zip(grid.offset, block, strict=True)):
        return Service.RE_GRIDDED
    if info.num_channels > 1:
        return Service.RE_ENCODED
    is_grey = info.data_type is DataType.UINT8
    passes = scale.encoding is Encoding.RAW or (scale.encoding is Encoding.JPEG and is_grey)
    return Service.PASSED_THROUGH if passes else Service.RE_ENCODED


def _pyramid_warnings(plans: list[ScalePlan]) -> list[str]:
    """NeuTu and neuroglancer take scale n to be 2^n times coarser along each axis, whatever `info` says."""
    base = plans[0].scale
    warnings = []
    for scale in (plan.scale for plan in plans[1:]):
        factor = 2 ** (scale.level - base.level)
        ratios = [coarse / fine for fine, coarse in zip(base.resolution_nm, scale.resolution_nm, strict=True)]
        if any(abs(ratio - factor) > factor * 0.02 for ratio in ratios):
            warnings.append(
                f"scale {scale.level} is {' x '.join(f'{ratio:g}' for ratio in ratios)} times coarser than "
                f"scale {base.level}; NeuTu and neuroglancer will take it for {factor}"
            )
    return warnings


def times(size: Point) -> str:
    """A size as people write it: `64 x 64 x 64`."""
    return " x ".join(map(str, size))
