"""Report something once for each name that clients send, however many names they invent."""

import logging
from collections.abc import Callable
from typing import Final

MOST: Final = 20
"""Names that are reported; further ones are only dropped."""


class Once:
    """Logs a warning for each new name, up to `MOST` names.

    Args:
        log: Where.
        describe: Returns the warning about a name, on one line.
    """

    def __init__(self, log: logging.Logger, describe: Callable[[str], str]) -> None:
        self._log = log
        self._describe = describe
        self._names: dict[str, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names reported so far, the first one first."""
        return tuple(self._names)

    def note(self, name: str) -> None:
        """Report *name*, unless it was reported before or there were too many."""
        if name in self._names or len(self._names) >= MOST:
            return
        self._names[name] = None
        self._log.warning("%s", self._describe(name))
        if len(self._names) == MOST:
            self._log.warning("further names like these are not reported")
