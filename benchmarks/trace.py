"""What proofreaders ask for, and from where caches of given sizes answer it. Nothing here reads a clock.

The habits are assumptions. docs/operations.md states them in words.
"""

import random
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.types import BlockCoord

SECONDS_AT_A_PLACE: Final = 45
TEAM: Final = 10
"""Proofreaders who work in one region."""
HOURS_A_WEEK: Final = 40
REGION: Final = BlockCoord(60, 60, 60)
"""What a team proofreads in a week, in blocks. For 10^8 blocks, five teams need two years."""
TEAM_DISK_BYTES: Final = 25 * 10**9
"""Disk caches of all servers, for each team: about twice what it proofreads in a week."""
VIEW: Final = (12, 6)
"""What a proofreader sees of a slice, in blocks along x and y: 72, as in the rows of the table."""
NEAR: Final = 0.8
"""How often the next place is along the same neuron."""
STEP: Final = 3
"""How far that place is at most along each axis, in blocks."""
AWAY: Final = 0.1
"""The share of neurons outside of the region, where nobody else looks."""


def seen_at(place: BlockCoord, view: tuple[int, int] = VIEW) -> list[tuple[int, int, int]]:
    """Return what is asked for at a place: a slice, those above and below, and half a view to two sides."""
    wide, high = view
    xs = range(place.x, place.x + wide)
    sides = (*range(place.x - wide // 2, place.x), *range(place.x + wide, place.x + wide + wide // 2))
    rows = range(place.y, place.y + high)
    slices = [(x, y, place.z + z) for z in (0, 1, -1) for y in rows for x in xs]
    return slices + [(x, y, place.z) for x in sides for y in rows]


def requests_per_s() -> float:
    """Return the blocks that one proofreader asks for in a second, on average over the time of work."""
    return len(seen_at(BlockCoord(0, 0, 0))) / SECONDS_AT_A_PLACE


@dataclass(frozen=True)
class Region:
    """Where a team works; what lies beyond a border comes in again at the other side."""

    size: BlockCoord = REGION
    view: tuple[int, int] = VIEW
    away: float = AWAY

    def trace(self, proofreaders: int, places: int, seed: int = 1) -> "array[int]":
        """Return the numbers of the blocks that a team asks for, a place of each proofreader in turn."""
        drawn = random.Random(seed)
        blocks = array("q")
        team = [(BlockCoord(0, 0, 0), 0)] * proofreaders
        outside = 0
        for turn in range(places):
            for member, (before, part) in enumerate(team):
                if turn and drawn.random() < NEAR:
                    team[member] = BlockCoord(*(n + drawn.randint(-STEP, STEP) for n in before)), part
                else:
                    outside += 1
                    place = BlockCoord(*(drawn.randrange(n) for n in self.size))
                    team[member] = place, outside if drawn.random() < self.away else 0
                blocks.extend(self._numbers(*team[member]))
        return blocks

    def _numbers(self, place: BlockCoord, part: int) -> Iterator[int]:
        """Yield the numbers of the blocks seen at a place: of the region if *part* is 0, else of another."""
        size_x, size_y, size_z = self.size
        for x, y, z in seen_at(place, self.view):
            yield ((part * size_z + z % size_z) * size_y + y % size_y) * size_x + x % size_x

    def block(self, number: int) -> BlockCoord:
        """Return the block of the region with this number."""
        z, rest = divmod(number, self.size.x * self.size.y)
        y, x = divmod(rest, self.size.x)
        return BlockCoord(x, y, z)


@dataclass(frozen=True)
class Shares:
    """From where blocks come, as shares of the requests."""

    memory: float
    disk: float

    @property
    def bucket(self) -> float:
        """The share that is read from the bucket."""
        return 1 - self.memory - self.disk


class _Recent:
    """Which blocks a cache of *size* blocks holds that drops the least recently used."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def take(self, block: int) -> bool:
        """Return whether *block* is held; it is from now on."""
        if block in self._blocks:
            self._blocks.move_to_end(block)
            return True
        self._blocks[block] = None
        if len(self._blocks) > self._size:
            self._blocks.popitem(last=False)
        return False


def simulate(blocks: Sequence[int], *, memory: int, disk: int) -> Shares:
    """Return from where a trace is answered by caches that hold so many blocks; 0: no such cache."""
    near, far = _Recent(memory), _Recent(disk)
    hits = [0, 0]
    for block in blocks:
        if near.take(block):
            hits[0] += 1
        elif far.take(block):
            hits[1] += 1
    return Shares(hits[0] / len(blocks), hits[1] / len(blocks))
