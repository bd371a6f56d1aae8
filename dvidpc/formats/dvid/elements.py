"""DVID's elements of annotations as columns: many of them at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Texts: TypeAlias = Callable[[NDArray[np.int64]], Sequence[str]]
"""Returns the texts that codes stand for."""

ABSENT: Final = -1
"""The code of an element that does not have a member."""


class Column(NamedTuple):
    """One member of the `Prop` of all elements."""

    name: str
    """Its key."""
    codes: NDArray[np.int64]
    """What stands for each element's value; ABSENT: it has none."""
    texts: Texts
    """Returns the values that codes stand for; called when they are written, as to make all takes long."""


@dataclass(frozen=True, slots=True)
class Relations:
    """The `Rels` of all elements."""

    firsts: NDArray[np.int64]
    """Where those of each element begin, `[n + 1]`; the last entry is their number."""
    words: NDArray[np.uint8]
    """The `Rel` of each, a number of RELATIONS."""
    targets: NDArray[np.int32]
    """The `To` of each, `[m, xyz]`."""

    def take(self, chosen: NDArray[np.intp]) -> "Relations":
        """Return those of the *chosen* elements, in that order."""
        lengths = np.diff(self.firsts)[chosen]
        firsts = np.append(0, np.cumsum(lengths))
        kept = np.repeat(self.firsts[chosen] - firsts[:-1], lengths) + np.arange(firsts[-1])
        return Relations(firsts, self.words[kept], self.targets[kept])


@dataclass(frozen=True, slots=True)
class Elements:
    """Elements in the order in which they are written."""

    voxels: NDArray[np.int32]
    """The `Pos` of each, `[n, xyz]`."""
    kinds: NDArray[np.uint8]
    """The `Kind` of each, a number of KINDS."""
    columns: tuple[Column, ...]
    """The members of `Prop`, sorted by name; a name may occur twice if no element has both."""
    tags: Sequence[tuple[str, ...]] | None
    """The `Tags` of each; None: no element has one."""
    relations: Relations | None
    """None: `Rels` is not written."""

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, chosen: NDArray[np.intp]) -> "Elements":
        """Return the *chosen* elements, in that order."""
        relations = self.relations
        return Elements(
            self.voxels[chosen],
            self.kinds[chosen],
            tuple(Column(name, codes[chosen], texts) for name, codes, texts in self.columns),
            None if self.tags is None else [self.tags[number] for number in chosen.tolist()],
            None if relations is None else relations.take(chosen),
        )

    def with_tag(self, tag: str) -> "Elements":
        """Return the elements that have *tag*."""
        tags = self.tags or ()
        return self.take(np.array([number for number, each in enumerate(tags) if tag in each], np.intp))


NO_ELEMENTS: Final = Elements(np.empty((0, 3), np.int32), np.empty(0, np.uint8), (), None, None)
"""None at all."""
