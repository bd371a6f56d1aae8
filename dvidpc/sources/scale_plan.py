"""The plan of one scale, and of each instance that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import StoredScale
from dvidpc.sources.channels import Channel
from dvidpc.types import Point

Resolution: TypeAlias = tuple[float, float, float]
"""The extent of a voxel along x, y and z, in nm."""


class LabelType(StrEnum):
    """One of DVID's types for labels."""

    LABELMAP = "labelmap"
    """One instance for all scales."""
    LABELBLK = "labelblk"
    """An instance for each scale."""


class Service(StrEnum):
    """How the blocks of a scale come to be, where a client asks for the default payload."""

    PASSED_THROUGH = "passed through"
    """A stored chunk is a block's payload as it is, except at the volume's upper end."""
    RE_ENCODED = "re-encoded"
    """A block is one chunk, decoded and encoded in another way."""
    RE_GRIDDED = "re-gridded"
    """A block is assembled from the chunks it touches."""


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """One scale that is served."""

    level: int
    """Position in the metadata; 0 is the first, which should be the finest."""
    box: Box
    """All voxels of the scale."""
    resolution_nm: Resolution
    block_size: Point
    service: Service
    stored: StoredScale
    full_service: Service | None = None
    """How the unscaled blocks of an image with a window come to be; None: there are none."""


@dataclass(frozen=True, slots=True)
class ScaleProblem:
    """One scale that cannot be served, and why."""

    level: int
    """Position in the metadata."""
    reason: str
    """One line that names the key or package at fault."""


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """One data instance of a volume, or one scale of a labelmap."""

    name: str
    level: int
    """The scale as clients count it: 0 is the first that is not left out."""
    scale: ScalePlan
    channel: Channel
    label_type: LabelType | None = None
    """None: it is an image."""

    @property
    def default_payload(self) -> Payload:
        """How blocks are written where a client asks for nothing in particular."""
        return self.channel.payloads[0]

    @property
    def service(self) -> Service:
        """How its blocks come to be."""
        full = self.scale.full_service if self.channel.is_full else None
        return full or self.scale.service

    @property
    def served_how(self) -> str:
        """What is done to a chunk before a client gets it, by default, in words."""
        encoded_as = self.default_payload.encoded_as
        steps = [f"{self.channel.window} as 8 bits"] if self.channel.window else []
        match self.service:
            case Service.PASSED_THROUGH:
                return "as stored"
            case Service.RE_ENCODED:
                steps += [] if encoded_as else ["decoded"]
            case Service.RE_GRIDDED:
                steps += [
                    *([] if encoded_as else ["decoded"]),
                    f"cut into {times(self.scale.block_size)} blocks",
                ]
        return ", ".join([*steps, *([f"encoded as {encoded_as}"] if encoded_as else [])])


def is_finer(one: Resolution, other: Resolution) -> bool:
    """Return whether a resolution is finer than another: along some axis, and coarser along none."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def decide_service(grid: Grid, block_size: Point, stored: Payload | None, default: Payload) -> Service:
    """Decide how the blocks of a scale come to be.

    Args:
        grid: Of the copy that is read first.
        block_size: Extent of a block.
        stored: The payload that stored chunks already are; None: they must be decoded.
        default: The payload that clients get if they ask for none.
    """
    if grid.chunk_size != block_size or any(o % b for o, b in zip(grid.offset, block_size, strict=True)):
        return Service.RE_GRIDDED
    return Service.PASSED_THROUGH if stored is default else Service.RE_ENCODED


def times(numbers: Sequence[float]) -> str:
    """Return extents or resolutions along x, y and z as people write them: `4 x 4 x 40`."""
    return " x ".join(f"{number:.10g}" for number in numbers)
