"""What the lists of a collection hold: of a sample of its cells, or of all."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.annotation_info import AnnotationType
from dvidpc.formats.precomputed.annotation_rows import Rows, extents
from dvidpc.sources.precomputed.annotation_lists import AnnotationLists
from dvidpc.sources.precomputed.annotation_places import ListKey
from dvidpc.tasks import gather_or_cancel

_BATCH: Final = 32
"""Lists that are read concurrently."""
_MOST_COMPARED: Final = 1_000_000
"""Lines of which the voxels of A and B are compared; each takes about 200 bytes."""

Watch = Callable[[int, int], None]
"""Called with the number of lists read so far, and of all lists."""


@dataclass(slots=True)
class CellSurvey:
    """What the cells of a collection list."""

    cells: int = 0
    """Cells that were looked at."""
    listed: int = 0
    """Annotations in their lists; one that is in several counts as often."""
    strays: int = 0
    """Those that do not touch the cell that lists them."""
    reach: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """The largest extent along each stored axis, in units of the dimensions."""
    ids: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    """The annotations, each once, ascending."""
    places: list[set[bytes]] = field(default_factory=lambda: [set(), set()])
    """The voxels of A and of B, of the first lines."""

    @property
    def distinct(self) -> tuple[int, int]:
        """How many voxels hold an A, and how many a B."""
        return len(self.places[0]), len(self.places[1])


async def survey_cells(lists: AnnotationLists, most: int | None, watch: Watch) -> CellSurvey:
    """Read the lists of cells, coarsest level first.

    Args:
        lists: The collection's.
        most: How many cells to read; None: all.
        watch: Called as the survey goes on.

    Raises:
        DvidpcError: A list cannot be read.
    """
    survey = CellSurvey()
    total = sum(lattice.all_cells.count for lattice in lists.lattices)
    keys = itertools.islice(_cell_keys(lists), most)
    gathered = [survey.ids]
    async for key, rows in _read(lists, keys):
        survey.cells += 1
        watch(survey.cells, total if most is None else min(most, total))
        if rows is None:
            continue
        gathered.append(rows.decoded.ids)
        _note(survey, lists, key, rows)
        if len(gathered) > _BATCH:
            gathered = [np.unique(np.concatenate(gathered))]
    survey.ids = np.unique(np.concatenate(gathered))
    return survey


def _cell_keys(lists: AnnotationLists) -> Iterator[ListKey]:
    for level, lattice in enumerate(lists.lattices):
        for cell in lattice.all_cells:
            yield lists.cell_key(level, cell)


async def _read(
    lists: AnnotationLists, keys: Iterator[ListKey]
) -> AsyncIterator[tuple[ListKey, Rows | None]]:
    while batch := list(itertools.islice(keys, _BATCH)):
        for pair in zip(batch, await gather_or_cancel(map(lists.read, batch)), strict=True):
            yield pair


def _note(survey: CellSurvey, lists: AnnotationLists, key: ListKey, rows: Rows) -> None:
    boxes = extents(rows.decoded, rows.annotation_type)
    survey.listed += len(rows.decoded.ids)
    assert key.cell is not None
    survey.strays += int(np.count_nonzero(lists.lattices[key.place].misses(key.cell, boxes)))
    with np.errstate(all="ignore"):
        size = boxes.high - boxes.low
    size[~np.isfinite(size)] = 0
    survey.reach = np.maximum(survey.reach, size.max(axis=0, initial=0))
    if rows.annotation_type is AnnotationType.LINE and survey.listed <= _MOST_COMPARED:
        for end, places in enumerate(survey.places):
            places.update(voxel.tobytes() for voxel in rows.voxels[:, end])
