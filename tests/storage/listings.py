"""Lists what is below a directory, for tests."""

import os
from collections.abc import Mapping

from dvidpc.storage.base import BucketAccess, Lister, UpstreamLimits
from dvidpc.storage.opening import open_lister

OBJECTS = {"em/info": 2, "em/s0/a": 1, "em/s0/b": 0, "em/s0/deep/c": 3, "em/s00/d": 4}
"""Keys and sizes."""


async def list_all(
    access: BucketAccess, directory: str, environ: Mapping[str, str] = os.environ
) -> list[tuple[str, int]]:
    """Return names and sizes of all objects, sorted."""
    lister = await open_lister(access, UpstreamLimits(attempts=1), environ=environ)
    assert lister is not None
    try:
        return await collect(lister, directory)
    finally:
        await lister.close()


async def collect(lister: Lister, directory: str) -> list[tuple[str, int]]:
    """Return names and sizes of all objects that *lister* finds, sorted."""
    return sorted([(name, size) async for page in lister.list_below(directory) for name, size in page])
