"""How the blocks of a scale come to be."""

from enum import StrEnum

from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload
from dvidpc.types import Point


class Service(StrEnum):
    """How the blocks of a scale come to be, where a client asks for the default payload."""

    PASSED_THROUGH = "passed through"
    """A stored chunk is a block's payload as it is, except at the volume's upper end."""
    RE_ENCODED = "re-encoded"
    """A block is one chunk, decoded and encoded in another way."""
    RE_GRIDDED = "re-gridded"
    """A block is assembled from the chunks it touches."""


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
