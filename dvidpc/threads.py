"""A pool of threads that goes on with fewer where the system gives it no more."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_SHORTAGE: Final = "can't start new thread"
"""What Python says when the system refuses: at the limit of processes of a user, a container or a pod."""


class ThreadPool(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose work waits for one of its threads if no other can start.

    Python's raises `RuntimeError` then, although the work is queued already.
    (cpython Lib/concurrent/futures/thread.py, `ThreadPoolExecutor.submit`)
    """

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            if not self._threads or not is_shortage(error):
                raise


def use_thread_pool() -> None:
    """Run what `asyncio.to_thread` runs in such a pool, of as many threads as Python's own."""
    asyncio.get_running_loop().set_default_executor(ThreadPool(min(32, (os.cpu_count() or 1) + 4)))


def is_shortage(error: BaseException) -> bool:
    """Return whether *error* says that the system gives this process no more threads."""
    return isinstance(error, RuntimeError) and str(error) == _SHORTAGE
