"""How large should a region of deploy/haproxy.cfg be? `python -m benchmarks.regions` prints a table.

People walk through a volume and ask for lists of blocks, which go to the home of their first block. What is
in the next region is then read by a server that is not its home. The walks are drawn at random, the same for
each size.
"""

import hashlib
import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

XYZ = tuple[int, int, int]

SERVERS: Final = 3
PEOPLE: Final = 60
VOLUME: Final = 32768
"""Side of the volume in voxels."""
STEPS: Final = 60
JUMP_EVERY: Final = 30
"""Steps until a person goes elsewhere in the volume."""
REGIONS: Final = (512, 1024, 2048, 4096, 8192)
LISTS: Final = {
    "NeuTu, the middle 256 x 256": (256, 256, 1),
    "NeuTu, 960 x 540 around it at the next scale": (960, 540, 1),
    "NeuTu, 1920 x 1080 without the middle apart": (1920, 1080, 1),
    "neuclease, 256 x 256 x 256": (256, 256, 256),
    "neuclease, 512 x 512 x 512": (512, 512, 512),
}
"""Sizes of views in voxels."""


class View(NamedTuple):
    """The list of the blocks of a view."""

    first: XYZ
    blocks: tuple[XYZ, ...]


def walks(size: XYZ) -> Iterator[View]:
    """Yield what people look at, one person after the other."""
    rnd = random.Random(1)
    for step in range(PEOPLE * STEPS):
        if step % JUMP_EVERY == 0:
            place = [rnd.randrange(VOLUME) for _ in size]
        for axis, length in enumerate(size):
            moved = place[axis] + rnd.choice((-1, 0, 1)) * rnd.randrange(max(32, length // 2))
            place[axis] = min(max(0, moved), VOLUME - 1)
        ranges = [range(at // 64, (at + n - 1) // 64 + 1) for at, n in zip(place, size, strict=True)]
        x, y, z = ranges
        yield View((x[0], y[0], z[0]), tuple(itertools.product(x, y, z)))


def home(block: XYZ, region: int) -> int:
    """Return the number of the server of a block."""
    name = repr([number * 64 // region for number in block])
    return hashlib.blake2b(name.encode()).digest()[0] % SERVERS


def duplicates(size: XYZ, region: int) -> tuple[float, float]:
    """Return the share of blocks read more than once, and the load of the busiest server, of the mean."""
    read: set[tuple[int, XYZ]] = set()
    load: Counter[int] = Counter()
    for view in walks(size):
        server = home(view.first, region)
        load[server] += len(view.blocks)
        read.update((server, block) for block in view.blocks)
    blocks = {block for _, block in read}
    return len(read) / len(blocks) - 1, max(load.values()) * SERVERS / load.total()


def main() -> None:
    """Print a table in Markdown."""
    rows = [["list of", *map(str, REGIONS)], ["---"] * (len(REGIONS) + 1)]
    busiest: list[float] = []
    for name, size in LISTS.items():
        found = [duplicates(size, region) for region in REGIONS]
        rows.append([name, *(f"{100 * share:.1f} %" for share, _ in found)])
        busiest = busiest or [load for _, load in found]
    rows.append(["the busiest server, of the mean", *(f"{load:.2f}" for load in busiest)])
    sys.stdout.write("".join(f"| {' | '.join(row)} |\n" for row in rows))


if __name__ == "__main__":
    main()
