"""Reads and decodes a few chunks of each copy of a scale."""

from typing import Final, NamedTuple

from dvidpc.errors import DvidpcError
from dvidpc.sources.base import ChunkSource
from dvidpc.sources.scale_plan import times
from dvidpc.types import ChunkCoord

_STEPS: Final = 8
"""Steps along the diagonal of the scale, from its first chunk to its last."""


class Samples(NamedTuple):
    """What the samples of one copy are."""

    chunk_size: str
    """The extent of its chunks, as people write it."""
    looked_at: int
    """How many chunks were read, or tried to."""
    stored: int
    problem: DvidpcError | None
    """Why the last of them cannot be read or decoded; None if all can."""


async def sample(source: ChunkSource) -> Samples:
    """Read chunks along the diagonal, each once, up to the first that cannot be read or decoded."""
    size = times(source.grid.chunk_size)
    cells = [ChunkCoord(*((n - 1) * step // _STEPS for n in source.grid.cells)) for step in range(_STEPS + 1)]
    looked_at = stored = 0
    for cell in dict.fromkeys(cells):
        looked_at += 1
        try:
            data = await source.read(cell)
            if data is not None:
                stored += 1
                source.decode(cell, data)
        except DvidpcError as error:
            return Samples(size, looked_at, stored, error)
    return Samples(size, looked_at, stored, None)
