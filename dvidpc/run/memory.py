"""Keep the server within its memory: tune the allocator, and shed load before an allocation fails."""

import asyncio
import contextlib
import ctypes
import logging
import resource
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from dvidpc.cache.loading_cache import LoadingCache

log = logging.getLogger(__name__)

PROBE_EVERY_S: Final = 0.1
"""How often the limits are compared with what is used, while there are requests or memory is short."""

PROBE_IDLE_EVERY_S: Final = 5.0
"""How often they are compared at other times."""

FREE_KEPT: Final = 64 * 2**20
"""Bytes that may be free at the end of the heap before they are returned to the system."""

LARGEST_REUSED: Final = 17 * 2**20
"""Size of an allocation up to which freed memory is reused: a box of 256^3 voxels and a little more.

With twice as much, a server keeps 320 MiB after a million annotations instead of 90.
"""

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Parameters of glibc's malloc.h; see mallopt(3)."""

_PAGE: Final = resource.getpagesize()
_LEAST_SPARE: Final = 64 * 2**20
_UNLIMITED: Final = 2**60
"""The least value of a control group's limit that means "unlimited"; v1 writes a number for it."""


class Bound(NamedTuple):
    """One limit and how much of it is used, in bytes."""

    name: str
    used: int
    most: int

    @property
    def is_near(self) -> bool:
        """Whether less than 64 MiB or an eighth is left; a quarter is always enough.

        Libraries in C end the process when an allocation fails, and the kernel kills one whose control
        group is full, so the server must react before.
        """
        spare = max(self.most // 8, min(_LEAST_SPARE, self.most // 4))
        return self.used > self.most - spare

    def __str__(self) -> str:
        return f"{self.used / 2**20:.0f} of {self.most / 2**20:.0f} MiB used ({self.name})"


class MemoryGuard:
    """Drops caches and refuses new requests for data while memory is short.

    Args:
        caches: What can be dropped.
        bounds: Returns the limits as they are now.
    """

    def __init__(
        self, caches: Sequence[LoadingCache], bounds: Callable[[], list[Bound]] | None = None
    ) -> None:
        self.reason: str | None = None
        """What is short; None: nothing is."""
        self._caches = caches
        self._bounds = bounds or read_bounds

    async def watch(self, busy: asyncio.Event) -> None:
        """Probe regularly, until cancelled; more often while there are requests, as *busy* says."""
        while True:
            self.probe()
            await asyncio.sleep(PROBE_EVERY_S)
            if self.reason is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_IDLE_EVERY_S):
                        await busy.wait()

    def probe(self) -> None:
        """Compare the limits with what is used; drop the caches where one is near."""
        near = self._nearest()
        if near is not None:
            if self.reason is None:
                log.error("memory is short: %s; dropping what is cached, refusing requests for data", near)
            self.make_room()
            near = self._nearest()
        if near is None and self.reason is not None:
            log.warning("there is enough memory again")
        self.reason = None if near is None else f"memory is short: {near}"

    def make_room(self) -> None:
        """Drop everything cached and return the memory to the system."""
        for cache in self._caches:
            cache.clear()
        _return_free_memory()

    def _nearest(self) -> Bound | None:
        return next((bound for bound in self._bounds() if bound.is_near), None)


def read_bounds(root: Path = Path("/")) -> list[Bound]:
    """Return the limits of this process; none where only the machine limits memory.

    Args:
        root: Where `proc` and `sys` are mounted.
    """
    with contextlib.suppress(OSError):  # not every system has these files, or shows them
        return [*_process_bounds(root), *_control_group_bounds(root)]
    return []


def keep_freed_memory() -> None:
    """Have memory that one request frees reused by the next, where the C library is glibc.

    By default it goes back to the kernel, and each page costs a fault when it is needed again: 3 of the
    15 ms of CPU that 72 cold blocks took.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, FREE_KEPT)
        mallopt(_M_MMAP_THRESHOLD, LARGEST_REUSED)


def share_arenas() -> None:
    """Have all threads share glibc's arenas where the address space is limited: each takes 64 MiB of it.

    To be called before threads exist. The start then takes 300 MiB of addresses instead of 680.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        mallopt(_M_ARENA_MAX, 2)


def _return_free_memory() -> None:
    """Return free memory to the system; without this a process never shrinks."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _process_bounds(root: Path) -> Iterator[Bound]:
    """Yield `ulimit -v` and `ulimit -d`."""
    limits = (("ulimit -v", resource.RLIMIT_AS, 0), ("ulimit -d", resource.RLIMIT_DATA, 5))
    limited = [one for one in limits if resource.getrlimit(one[1])[0] != resource.RLIM_INFINITY]
    if limited:
        pages = (root / "proc/self/statm").read_text().split()
        for name, limit, column in limited:
            yield Bound(name, int(pages[column]) * _PAGE, resource.getrlimit(limit)[0])


def _control_group_bounds(root: Path) -> Iterator[Bound]:
    """Yield the limit of the control group, v2 or v1; what can be written back counts as free."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, limit, counted = root / "sys/fs/cgroup", "memory.max", "anon "
        elif "memory" in controllers.split(","):
            mount, limit, counted = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "total_rss "
        else:
            continue
        for group in (mount / path.lstrip("/"), mount):  # inside a container its own group is the root
            try:
                most = (group / limit).read_text().strip()
                stat = (group / "memory.stat").read_text().splitlines()
            except OSError:
                continue
            used = next((int(one.split()[1]) for one in stat if one.startswith(counted)), None)
            if used is not None and most.isdecimal() and int(most) < _UNLIMITED:
                yield Bound(limit, used, int(most))
            break
