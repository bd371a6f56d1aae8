"""What NeuTu, neuroglancer and neuclease ask for, drawn at random, and whether an answer is right."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp
import numpy as np
from yarl import URL

from tests.blockstream import grey_block, parse_stream
from tests.deploy.wide_bucket import SIDE, XYZ, chunk

BLOCKS = SIDE // 64


@dataclass(frozen=True)
class Ask:
    """A request for a box of blocks of one scale."""

    path: str
    """The path below the version."""
    scale: int
    blocks: tuple[XYZ, ...]
    """All that the answer has to hold, in any order."""
    is_raw: bool = False
    """Whether the answer is the voxels of the box that the blocks make."""

    def is_answered_by(self, body: bytes) -> bool:
        """Return whether *body* is the right answer."""
        if self.is_raw:
            return body == self._voxels()
        return dict(parse_stream(body)) == {block: chunk(self.scale, block) for block in self.blocks}

    def _voxels(self) -> bytes:
        low, high = np.min(self.blocks, 0), np.max(self.blocks, 0) + 1
        box = np.zeros((high - low) * 64, np.uint8)
        for block in self.blocks:
            x, y, z = (np.array(block) - low) * 64
            box[x : x + 64, y : y + 64, z : z + 64] = grey_block(chunk(self.scale, block))
        return box.tobytes("F")


def _box(corner: XYZ, size: XYZ) -> tuple[XYZ, ...]:
    ranges = [range(first, first + count) for first, count in zip(corner, size, strict=True)]
    return tuple((x, y, z) for z, y, x in itertools.product(*reversed(ranges)))


def _name(scale: int) -> str:
    return f"em_{scale}" if scale else "em"


def listed(scale: int, corner: XYZ, size: XYZ, more: str = "") -> Ask:
    """Return a request for the list of the blocks of a box; *more* is the end of its query."""
    blocks = _box(corner, size)
    numbers = ",".join(str(number) for block in blocks for number in block)
    return Ask(f"{_name(scale)}/specificblocks?blocks={numbers}{more}", scale, blocks)


def _boxed(corner: XYZ, size: XYZ, call: str, more: str = "") -> Ask:
    counts, start = ("_".join(str(64 * n) for n in place) for place in (size, corner))
    return Ask(f"em/{call}/{counts}/{start}{more}", 0, _box(corner, size), call.startswith("raw"))


def neutu(corner: XYZ) -> list[Ask]:
    """A slice of NeuTu: the middle 256 pixels, and 512 x 384 around it at the next scale."""
    x, y, z = corner
    around = (max(0, x // 2 - 2), max(0, y // 2 - 2), z // 2)
    return [
        listed(0, corner, (4, 4, 1), "&u=katz&app=lowtis"),
        listed(1, around, (4, 3, 1), "&u=katz&app=lowtis"),
    ]


def neuroglancer(corner: XYZ) -> list[Ask]:
    """A view of neuroglancer: single blocks."""
    boxes = [
        _boxed(block, (1, 1, 1), "subvolblocks", "?app=Neuroglancer") for block in _box(corner, (3, 3, 1))
    ]
    return [Ask(one.path, 0, one.blocks) for one in boxes]


def neuclease(corner: XYZ) -> list[Ask]:
    """A subvolume of neuclease, as blocks and as voxels, and a list of its blocks."""
    return [
        _boxed(corner, (3, 3, 1), "subvolblocks"),
        _boxed(corner, (2, 1, 1), "raw/0_1_2", "?throttle=true"),
        listed(0, corner, (2, 2, 1), "&u=katz&app=neuclease"),
    ]


CLIENTS: tuple[Callable[[XYZ], list[Ask]], ...] = (neutu, neuroglancer, neuclease)


def walk(rnd: random.Random, steps: int) -> Iterator[list[Ask]]:
    """Yield the requests of views along a walk of one client: pans, slices deeper, and now and then back."""
    client = rnd.choice(CLIENTS)
    places = [(rnd.randrange(BLOCKS - 8), rnd.randrange(BLOCKS - 8), rnd.randrange(BLOCKS - 8))]
    for _ in range(steps):
        x, y, z = places[-1] if rnd.random() < 0.8 else rnd.choice(places)
        place = (x + rnd.choice((-2, 0, 2)), y + rnd.choice((-2, 0, 2)), z + rnd.choice((0, 1)))
        bounded = tuple(min(max(0, number), BLOCKS - 8) for number in place)
        places.append((bounded[0], bounded[1], bounded[2]))
        yield client(places[-1])


async def fetch(session: aiohttp.ClientSession, url: str, ask: Ask) -> str | None:
    """Send a request; return what went wrong, or None if the answer is right."""
    try:
        async with session.get(URL(f"{url}/api/node/:master/{ask.path}", encoded=True)) as answer:
            body = await answer.read()
            if answer.status != 200:
                return f"{answer.status} {body[:200]!r}"
            return None if ask.is_answered_by(body) else "wrong data"
    except aiohttp.ClientError as error:
        return repr(error)
