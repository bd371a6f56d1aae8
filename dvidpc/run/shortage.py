"""Notices that memory runs short before an allocation fails: caches are emptied, newcomers refused."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.run.allocator import give_back
from dvidpc.run.memory import Bound, read_bounds

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.1


class Shortage:
    """Whether there is too little memory to take on more.

    Args:
        caches: What can be given up.
        bounds: The limits as they are now.
    """

    def __init__(
        self, caches: Sequence[LoadingCache], bounds: Callable[[], list[Bound]] = read_bounds
    ) -> None:
        self.reason: str | None = None
        """What is short; None: nothing is."""
        self._caches = caches
        self._bounds = bounds

    def look(self) -> None:
        """Look at the limits, make room where one is near, and see whether that was enough."""
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
        """Forget what is cached, and give the memory back to the system."""
        for cache in self._caches:
            cache.clear()
        give_back()

    def _nearest(self) -> Bound | None:
        return next((bound for bound in self._bounds() if bound.is_near), None)
