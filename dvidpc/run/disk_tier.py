"""The disk cache of the configuration. It is imported, with SQLite, only if there is one."""

# ruff: noqa: PLC0415  # the point of this module

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dvidpc.config import CacheConfig

if TYPE_CHECKING:
    from dvidpc.cache.disk.disk_cache import DiskCache


def make_disk_cache(cache: CacheConfig) -> "DiskCache | None":
    """Return the disk cache that *cache* describes, not opened yet; None if it describes none."""
    if not cache.disk:
        return None
    from dvidpc.cache.disk.disk_cache import DiskCache

    assert cache.disk_path is not None
    return DiskCache(cache.disk_path, cache.disk)


@asynccontextmanager
async def keeping_open(disk: "DiskCache | None") -> AsyncIterator[None]:
    """Open *disk*, which `make_disk_cache` has returned, and close it in the end."""
    if disk is None:
        yield
        return
    await disk.open()
    try:
        yield
    finally:
        await disk.close()
