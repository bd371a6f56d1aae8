"""Judges the pyramid that the scales of a volume form, as clients will see it."""

from collections.abc import Sequence
from itertools import pairwise

from dvidpc.sources.scale_plan import Resolution, is_finer, times

_TOLERANCE = 0.02
"""How far a ratio of resolutions may be from a power of two, as a share of it."""


def explain_pyramid(scales: Sequence[tuple[int, Resolution]]) -> list[str]:
    """Return what NeuTu and neuroglancer will misunderstand; empty if nothing.

    They take the first scale for the finest, and scale n for 2^n times coarser.

    Args:
        scales: The level and the resolution of each scale that is served, in the order of the metadata.
    """
    for (_, before), (level, resolution) in pairwise(scales):
        if is_finer(resolution, before):
            return [_out_of_order(level, resolution, before)]
    base_level, base = scales[0]
    warnings = []
    for level, resolution in scales[1:]:
        factor = 2 ** (level - base_level)
        ratios = [coarse / fine for fine, coarse in zip(base, resolution, strict=True)]
        if any(abs(ratio - factor) > factor * _TOLERANCE for ratio in ratios):
            warnings.append(
                f"scale {level} is {' x '.join(f'{ratio:g}' for ratio in ratios)} times coarser than "
                f"scale {base_level}; NeuTu and neuroglancer assume {factor}"
            )
    return warnings


def _out_of_order(level: int, resolution: Resolution, before: Resolution) -> str:
    return (
        f"the scales are not listed from fine to coarse: scale {level} ({times(resolution)} nm) is finer "
        f"than the one before it ({times(before)} nm); clients take the first scale for the finest"
    )
