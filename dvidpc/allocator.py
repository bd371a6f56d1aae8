"""What the C library does with memory that is freed."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
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
