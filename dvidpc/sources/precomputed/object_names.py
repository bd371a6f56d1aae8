"""Names of a scale's objects, chunks or shards: which are right, and what is wrong with others."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_names import find_named_chunk, is_chunk_name
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.sources.counting import Slip

_SHARD = re.compile(r"([0-9a-f]+)\.shard", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}", re.ASCII)


class Slipped(NamedTuple):
    """What is wrong with a name."""

    slip: Slip
    detail: str
    """As `Stray.detail`."""
    intended: str
    """The right name; empty if it cannot be said."""


@dataclass(frozen=True, slots=True)
class ObjectNames:
    """The names of the objects of one scale, relative to its directory."""

    sharding: ShardingSpec | None
    """None: the scale is not sharded."""
    grids: Sequence[Grid]

    def shard_of(self, name: str) -> int | None:
        """Return the number of the shard called *name*; None if it is not one of the scale's."""
        match = _SHARD.fullmatch(name)
        if self.sharding is None or match is None:
            return None
        shard = int(match[1], 16)
        is_right = not shard >> self.sharding.shard_bits and self.sharding.shard_name(shard) == name
        return shard if is_right else None

    def are_right(self, name: str) -> bool:
        """Return whether *name* is read as a chunk or shard of the scale."""
        if self.sharding is not None:
            return self.shard_of(name) is not None
        return any(find_named_chunk(grid, name) is not None for grid in self.grids)

    def find_slip(self, name: str) -> Slipped | None:
        """Return what is wrong with a name that almost belongs to the scale; None if it is quite different.

        The name itself is not right.
        """
        for slip, detail, intended in self._corrections(name):
            if self.are_right(intended):
                return Slipped(slip, detail, intended)
        is_other_layout = is_chunk_name(name) if self.sharding else _SHARD.fullmatch(name) is not None
        return Slipped(Slip.LAYOUT, "", "") if is_other_layout else None

    def _corrections(self, name: str) -> Iterator[Slipped]:
        directory, slash, last = name.rpartition("/")
        stem, dot, suffix = name.rpartition(".")
        if _SUFFIX.fullmatch(f"{dot}{suffix}"):
            yield Slipped(Slip.SUFFIX, f"{dot}{suffix}", stem)
        yield Slipped(Slip.CASE, "", name.lower())
        if self.sharding is not None and (match := _SHARD.fullmatch(name)):
            shard = int(match[1], 16)
            if not shard >> self.sharding.shard_bits:
                yield Slipped(Slip.DIGITS, "", self.sharding.shard_name(shard))
        if slash:
            yield Slipped(Slip.DEEPER, directory, last)
            yield Slipped(Slip.NESTED, "", name.replace("/", "_"))
