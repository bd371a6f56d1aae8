"""Faults that a bucket's answer can have."""

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """How one answer differs from a good one. Several differences can be combined."""

    delay_s: float = 0.0
    """Seconds before the first byte."""
    hang: bool = False
    """Send no answer and keep the connection open."""
    status: int | None = None
    """A status that is sent instead of the object."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that are added, or replace those of the same name."""
    reset_at: int | None = None
    """Bytes of the body after which the connection is reset."""
    truncate_at: int | None = None
    """Bytes of the body after which the connection is closed cleanly."""
    pause_at: int | None = None
    """Bytes of the body after which nothing more is sent, with the connection open."""
    trickle_s: float = 0.0
    """Seconds between two bytes of the body."""
    short_by: int = 0
    """How many bytes too short a range is; its header says so."""
    shift: int = 0
    """How far a range is shifted; its header says so."""
    whole: bool = False
    """Answer a range request with 200 and the whole object."""
    endless: bool = False
    """Claim a body of 1 GiB and send until the client disconnects."""
    garbage: bytes | None = None
    """Bytes that are sent instead of the whole response."""
    close_first: bool = False
    """Close the connection before the first byte, as servers do with idle connections."""


HANG = Fault(hang=True)
RESET = Fault(reset_at=100)
REFUSED_KEEP_ALIVE = Fault(close_first=True)
TRUNCATED = Fault(truncate_at=100)
WHOLE = Fault(whole=True)
SHIFTED = Fault(shift=7)
SHORT = Fault(short_by=5)
GARBAGE = Fault(garbage=b"\x00\xff\x17 this is no HTTP\r\n\r\n")
SLOW_DOWN = Fault(status=503)
TOO_MANY = Fault(status=429, headers=(("Retry-After", "0"),))
BROKEN = Fault(status=500)
LYING_RANGE = Fault(headers=(("Content-Range", "bytes 0-9/1000000"),))

PASSING: tuple[Fault, ...] = (
    RESET,
    REFUSED_KEEP_ALIVE,
    TRUNCATED,
    WHOLE,
    SHIFTED,
    SHORT,
    GARBAGE,
    SLOW_DOWN,
    TOO_MANY,
    BROKEN,
    Fault(status=502),
    Fault(delay_s=0.05),
    Fault(trickle_s=0.0001),
    LYING_RANGE,
)
"""Faults that end quickly; the soak injects them at random."""


@dataclass(slots=True)
class Chance:
    """Random faults from one seed: the same requests in the same order get the same faults."""

    share: float
    """Share of the requests that fail, 0 to 1."""
    kinds: tuple[Fault, ...] = PASSING
    seed: int = 1
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def draw(self) -> Fault | None:
        """Return the fault of the next answer; None if it is good."""
        if self._random.random() >= self.share:
            return None
        return self._random.choice(self.kinds)
