"""The correct content of a volume, to compare answers with."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.blockstream import parse_stream, raw_block
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, stored_in, write_volume


@dataclass(frozen=True)
class Truth:
    """A volume of raw voxels, as tensorstore reads it."""

    spec: VolumeSpec
    voxels: Voxels

    @property
    def blocks(self) -> list[XYZ]:
        """Every block that the volume touches, in order."""
        ranges = (
            range(o // 64, (o + n - 1) // 64 + 1)
            for o, n in zip(self.spec.offset, self.spec.size, strict=True)
        )
        x, y, z = ranges
        return list(itertools.product(x, y, z))

    def expected(self, block: XYZ) -> Voxels:
        """Return the voxels `[x, y, z]` of a block."""
        x, y, z = block
        box = expected_box(self.voxels, self.spec.offset, (x * 64, y * 64, z * 64), (64, 64, 64))
        grey: Voxels = box[..., 0]
        return grey

    def is_stored(self, block: XYZ) -> bool:
        """Whether the block belongs in an answer."""
        x, y, z = block
        return stored_in(self.spec, (x * 64, y * 64, z * 64), (64, 64, 64))

    def wrong_in(self, asked: list[XYZ], body: bytes) -> list[XYZ]:
        """Return the blocks that are wrong or missing in a complete, uncompressed block stream."""
        found = dict(parse_stream(body))
        wrong = [block for block in asked if self.is_stored(block) != (block in found)]
        wrong += [block for block in found if block not in asked]
        return wrong + [
            block
            for block, payload in found.items()
            if block not in wrong and not np.array_equal(raw_block(payload), self.expected(block))
        ]


def write_truth(directory: Path, spec: VolumeSpec) -> Truth:
    """Write a volume and return its content."""
    return Truth(spec, write_volume(directory, spec)[0])


def blocks_path(node: str, instance: str, blocks: list[XYZ]) -> str:
    """Return the path of a request for *blocks*."""
    numbers = ",".join(str(number) for block in blocks for number in block)
    return f"{node}/{instance}/specificblocks?compression=uncompressed&blocks={numbers}"
