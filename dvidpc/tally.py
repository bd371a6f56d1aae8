"""What one request costs, counted where the costs arise, far from where the request is known."""

from contextvars import ContextVar
from typing import Final, Literal


class Tally:
    """Counts of one request; tasks that work for it share it through their context."""

    __slots__ = ("blocks", "ending", "hits", "omitted", "request_id", "upstream")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        """What the log calls the request."""
        self.blocks = 0
        """Blocks asked for."""
        self.hits = 0
        """Blocks, chunks and indexes found in memory."""
        self.omitted = 0
        """Blocks left out of the answer since they could not be read."""
        self.upstream = 0
        """Requests sent to buckets; of a load that several wait for, only who began it counts them."""
        self.ending: Literal["", "cut", "left"] = ""
        """What became of an answer that was begun: it was cut off by us, or the client left; "": neither."""


TALLY: Final[ContextVar[Tally]] = ContextVar("tally", default=Tally("-"))  # noqa: B039 - nobody reads this one
"""The tally of the request that the code running works for; outside of requests, one that nobody reads."""
