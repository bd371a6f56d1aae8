"""What the readers of meshes, skeletons and properties share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SegmentTools:
    """Caches, threads and limits, for all readers of one volume."""

    indexes: LoadingCache
    """Keeps indexes of shards."""
    documents: LoadingCache
    """Keeps parsed segment properties, which may need hundreds of megabytes."""
    pool: Executor
    """Decodes and encodes; its size bounds how much is decoded at a time."""
    voxel_size_nm: tuple[float, float, float]
    """Size of a voxel of scale 0."""
    max_mesh: int
    """The most bytes of a mesh, as `.ngmesh`; a mesh that has more is served at a coarser level of detail."""

    async def run(self, name: str, step: Callable[[], T]) -> T:
        """Run *step* off the event loop.

        Raises:
            FormatError: *step* found malformed bytes; *name* is put before its message.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, step)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error
