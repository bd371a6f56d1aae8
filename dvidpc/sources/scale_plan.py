"""The plan of one scale, and of each instance that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import StoredScale
from dvidpc.sources.block_service import Service
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


def times(numbers: Sequence[float]) -> str:
    """Return extents or resolutions along x, y and z as people write them: `4 x 4 x 40`."""
    return " x ".join(f"{number:.10g}" for number in numbers)
