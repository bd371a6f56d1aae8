"""What may go wrong with one answer of a bucket."""

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """How one answer differs from a good one; several differences may be combined."""

    delay_s: float = 0.0
    """Before the first byte."""
    hang: bool = False
    """Nothing is answered, and the connection stays open."""
    status: int | None = None
    """Answered instead of the object."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent besides, or in place of those of the same name."""
    reset_at: int | None = None
    """Bytes of the body after which the connection is reset."""
    truncate_at: int | None = None
    """Bytes of the body after which the connection is closed, clean."""
    pause_at: int | None = None
    """Bytes of the body after which nothing comes any more, while the connection stays open."""
    trickle_s: float = 0.0
    """Between one byte of the body and the next."""
    short_by: int = 0
    """Bytes that a range lacks, its head being honest about that."""
    shift: int = 0
    """How far a range lies from the one asked for, its head being honest about that."""
    whole: bool = False
    """200 and the whole object in answer to a range."""
    endless: bool = False
    """A body that claims 1 GiB and goes on until nobody listens."""
    garbage: bytes | None = None
    """Sent as it is in place of status line, head and body."""
    close_first: bool = False
    """The connection is closed before a byte is answered, as a server does to one that was idle."""


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
"""Faults that are over at once: a soak throws them in at random."""


@dataclass(slots=True)
class Chance:
    """Faults at random, of one seed: the same every time the same requests come in the same order."""

    share: float
    """Of all requests, 0 to 1."""
    kinds: tuple[Fault, ...] = PASSING
    seed: int = 1
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def draw(self) -> Fault | None:
        """The fault of the next answer; None: it is good."""
        if self._random.random() >= self.share:
            return None
        return self._random.choice(self.kinds)
