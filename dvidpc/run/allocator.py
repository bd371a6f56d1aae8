"""What the C library does with memory: where it is taken from, and what becomes of it when it is freed."""

import ctypes
import resource
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Numbers of glibc's malloc.h; mallopt(3) explains them."""

KEPT: Final = 64 * 2**20
"""Bytes that may be free at the end of the heap before they are given back."""

REUSED: Final = 4 * 2**20
"""Bytes up to which what is freed is used again at all: twice the longest read of neighbouring chunks."""


def keep_freed_memory() -> None:
    """Have what a request frees used again by the next, where the C library is glibc.

    By default it goes back to the kernel, and each of its pages costs a fault when it is needed again: of the
    15 ms of CPU that 72 cold blocks took, 3 went there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, KEPT)
        mallopt(_M_MMAP_THRESHOLD, REUSED)


def share_arenas() -> None:
    """Have all threads share glibc's pools where the address space is bounded: each pool takes 64 MiB of it.

    To be called before there are threads. The start takes 300 MiB of addresses so, and 680 without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Give what is free back to the system now; without that, a process stays as large as it ever was."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
