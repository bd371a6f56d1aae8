"""Judges what a count of all stored chunks of a scale found."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dvidpc.check.fixes import Fixes
from dvidpc.check.strays import explain_stray
from dvidpc.sources.counting import ChunkCount
from dvidpc.sources.scale_plan import times
from dvidpc.types import Finding


class Judged(NamedTuple):
    """One thing that a count says."""

    finding: Finding
    is_problem: bool
    """Else it is a warning."""


def describe_count(level: int, count: ChunkCount) -> str:
    """Return how many chunks of a copy are stored."""
    text = f"scale {level}: {count.stored} of {count.expected} chunks of {times(count.chunk_size)} are stored"
    if count.fill is None or count.stored >= count.expected:
        return text
    return f"{text}; the others hold the fill value {count.fill:g}"


def is_empty(counts: Sequence[ChunkCount]) -> bool:
    """Return whether no copy of a scale has any chunk, not even a hidden or damaged one."""
    return not any(count.stored or count.hidden or count.damaged for count in counts)


def judge_counts(level: int, counts: Sequence[ChunkCount], fixes: Fixes) -> Iterator[Judged]:
    """Yield what should be changed about a scale.

    That it is empty is not said here; see `absence`.
    """
    is_whole = any(count.stored >= count.expected for count in counts)
    for count in counts:
        if count.stored and not is_whole and (count.fill is None or count.strays.kinds):
            yield from _absent(level, count, fixes)
        if count.hidden:
            text = f"scale {level}: {count.first_hidden} is listed, but reads as absent"
            yield Judged(Finding(text, fixes.of_hidden()), is_problem=True)
        yield from _foreign_and_damaged(level, count, fixes)


def _absent(level: int, count: ChunkCount, fixes: Fixes) -> Iterator[Judged]:
    first = f"; the first absent chunk is {count.first_absent}" if count.first_absent else ""
    served = "; absent chunks are served as empty" if count.fill is None else ""
    text = f"{describe_count(level, count)}{first}{served}"
    strays = count.strays.found
    for stray in strays:
        fix = fixes.of_stray(stray, some_are_right=True)
        yield Judged(Finding(f"{text}; {explain_stray(stray)}", fix), is_problem=False)
    if not strays:
        yield Judged(Finding(text, fixes.of_absence()), is_problem=False)


def _foreign_and_damaged(level: int, count: ChunkCount, fixes: Fixes) -> Iterator[Judged]:
    if count.foreign:
        text = (
            f"scale {level}: {count.foreign} stored chunks do not belong to the scale that the "
            f"{'info' if count.fill is None else 'metadata'} describes, for example {count.first_foreign}"
        )
        yield Judged(Finding(text, fixes.of_foreign()), is_problem=False)
    for what in count.damage:
        yield Judged(Finding(f"scale {level}: {what}", fixes.of_damage()), is_problem=True)
    if more := count.damaged - len(count.damage):
        text = f"scale {level}: {more} more objects are damaged"
        yield Judged(Finding(text, fixes.of_damage()), is_problem=True)
