"""Answers DVID's questions about a collection of annotations, as JSON."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from dvidpc.cache.loading_cache import MISSING
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.elements import NO_ELEMENTS, Elements
from dvidpc.formats.grid import Box
from dvidpc.formats.lattice import Span
from dvidpc.formats.precomputed.annotation_elements import BLOCK_SIZE, Wanted, make_elements
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Collection
from dvidpc.formats.precomputed.annotation_roles import Roles
from dvidpc.formats.precomputed.annotation_rows import Part, Rows, ends_in_box, ends_of, gather
from dvidpc.formats.precomputed.annotation_settings import KINDS, Kind
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.annotation_answers import join_parts, write_blocks, write_list
from dvidpc.sources.precomputed.annotation_lists import AnnotationLists
from dvidpc.sources.precomputed.annotation_margin import Margin, measure
from dvidpc.sources.precomputed.annotation_places import AnnotationTools, ListKey
from dvidpc.storage.base import ObjectStore
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import Point

log = logging.getLogger(__name__)

MAX_CELLS_OF_ALL: Final = 65_536
"""The most cells that a collection may have for all of them to be read."""

MAX_CELLS_COUNTED: Final = 256
"""The most cells that a collection may have for its annotations to be counted."""

_SAMPLED_CELLS: Final = 64
"""Cells of a level from which the margin is measured."""
_SAMPLED_AT_ONCE: Final = 16
_SAMPLED_ANNOTATIONS: Final = 2000
"""Annotations that are enough to measure it."""
_SYNAPSES: Final = (Kind.POST_SYN, Kind.PRE_SYN, Kind.GAP)
"""What `labelsz` calls `AllSyn`."""


@dataclass(frozen=True, slots=True)
class Total:
    """A number of annotations."""

    count: int
    nbytes: int = 64
    """Memory use in bytes."""


class AnnotationReader:
    """Reads one collection. Any task may call it; calls may overlap.

    What an answer cannot be made of is an error, never an answer without it: see `AnnotationLists.read_all`.

    Args:
        store: Where the collection lies.
        metadata: Its `info`, and in which directory.
        collection: What the `info` says.
        roles: What everything in the collection is.
        tools: Caches, threads and limits.
    """

    def __init__(
        self,
        store: ObjectStore,
        metadata: Metadata,
        collection: Collection,
        roles: Roles,
        tools: AnnotationTools,
    ) -> None:
        self.collection = collection
        self.roles = roles
        self.lists = AnnotationLists(store, metadata, collection, roles, tools)
        self._tools = tools
        self._name = metadata.url

    async def elements(self, box: Box, /) -> bytes:
        """Return the elements whose voxels lie in *box*, as a list; `null` if there are none."""
        if box.is_empty:
            return b"null"
        elements = await self._in_box(box, Wanted())
        return await write_list(elements, self._tools) if len(elements) else b"null"

    async def blocks(self, box: Box, /) -> bytes:
        """Return the elements of every block of 64 voxels that *box* touches, by block coordinate.

        As in DVID, the last block is that of the voxel before the end of the box, even if it is empty.
        """
        start = Point(*(at // BLOCK_SIZE * BLOCK_SIZE for at in box.start))
        stop = Point(*((at - 1) // BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE for at in box.stop))
        whole = Box(start, stop)
        if whole.is_empty:
            return b"{}"
        elements = await self._in_box(whole, Wanted(by_block=True))
        return await join_parts(write_blocks(elements, self._tools), len(elements), self._tools)

    async def all_elements(self) -> AsyncIterator[bytes]:
        """Read everything; return the parts of an answer as `blocks` gives.

        Iterating reads nothing from the store any more.

        Raises:
            RequestError: The collection is too large.
        """
        elements = await self._everything(
            "the collection is too large for all-elements", Wanted(by_block=True)
        )
        return write_blocks(elements, self._tools)

    async def label(self, label: int, /, *, with_relationships: bool) -> bytes:
        """Return the elements in a segment, as a list.

        They are those that the writer of the collection found in it; see `Roles.bodies`.
        """
        elements = await self._of_label(label, with_relationships=with_relationships)
        return await write_list(elements, self._tools)

    async def count(self, label: int, kind: Kind | None, /) -> int:
        """Return how many elements of a kind are in a segment; None: of all synapses and gap junctions."""
        elements = await self._of_label(label, with_relationships=False)
        kinds = _SYNAPSES if kind is None else (kind,)
        return int(np.isin(elements.kinds, [KINDS.index(each) for each in kinds]).sum())

    async def tag(self, tag: str, /, *, with_relationships: bool) -> bytes:
        """Return the elements that have a tag, as a list.

        Raises:
            RequestError: Tags are not indexed, and the collection is too large to look at every element.
        """
        if not self.roles.tags:
            return b"[]"
        reason = "the collection is not indexed by tag, and too large to search"
        elements = await self._everything(reason, Wanted(with_relations=with_relationships))
        return await write_list(await self._tools.run(partial(elements.with_tag, tag)), self._tools)

    async def margin(self) -> Margin:
        """Return how far an annotation may lie from the cell that lists it: as configured, or as measured.

        It is measured in the coarsest levels, which list a sample of all annotations.
        """
        if self.roles.margin is not None:
            return Margin(self.roles.margin)
        return await self._tools.prepared.get_or_load(self._margin_key, self._measure_margin)

    async def total(self) -> int | None:
        """Return how many annotations the spatial index lists; None if they are too many to be counted."""
        if sum(level.num_cells for level in self.collection.levels) > MAX_CELLS_COUNTED:
            return None
        try:
            total = await self._tools.prepared.get_or_load((self.lists.identity, "total"), self._count_all)
        except RequestError:
            return None
        return total.count

    async def probe(self) -> None:
        """Read the first list of the coarsest level, to find out whether the collection can be read."""
        if self.lists.lattices:
            with contextlib.suppress(RequestError):
                await self.lists.read(self.lists.cell_key(0, (0, 0, 0)))

    def forget(self) -> None:
        """Drop all that is cached."""
        self.lists.forget()

    async def _count_all(self) -> Total:
        levels = enumerate(self.lists.lattices)
        keys = [self.lists.cell_key(level, cell) for level, lattice in levels for cell in lattice.all_cells]
        ids = [np.empty(0, np.uint64), *(rows.decoded.ids for rows in await self._read(keys))]
        return Total(await self._tools.run(lambda: len(np.unique(np.concatenate(ids)))))

    @property
    def _margin_key(self) -> tuple[str, str]:
        return self.lists.identity, "margin"

    async def _measure_margin(self) -> Margin:
        sampled: list[Rows] = []
        keys = [
            self.lists.cell_key(level, cell)
            for level, lattice in enumerate(self.lists.lattices)
            for cell in lattice.all_cells.sample(_SAMPLED_CELLS)
        ]
        for at in range(0, len(keys), _SAMPLED_AT_ONCE):
            if sum(len(rows.decoded.ids) for rows in sampled) >= _SAMPLED_ANNOTATIONS:
                break
            found = await gather_or_cancel(map(self._sample, keys[at : at + _SAMPLED_AT_ONCE]))
            sampled += [rows for rows in found if rows is not None]
        margin = await self._tools.run(partial(measure, sampled))
        reach = " x ".join(f"{reach:.6g}" for reach in margin.reach)
        log.info("margin of annotations measured: %s: %s", self._name, reach)
        return margin

    async def _sample(self, key: ListKey) -> Rows | None:
        """Return a list; None if it does not exist, or is too long to be read."""
        try:
            return await self.lists.read(key)
        except RequestError:
            return None

    async def _in_box(self, box: Box, wanted: Wanted) -> Elements:
        """Return the elements in a box: of all lists of cells that may list their annotations."""
        span = self.roles.placement.span(box)
        if self.collection.annotation_type is not AnnotationType.POINT:
            if self.roles.margin is None and self._tools.prepared.last_known(self._margin_key) is MISSING:
                await gather_or_cancel([self._warm_up(span), self._find_margin()])
            span = (await self.margin()).widen(span)
        lists = await self._read(await self._cells(span))
        return await self._make(lambda: [Part(rows, ends_in_box(rows, box)) for rows in lists], wanted)

    async def _warm_up(self, span: Span) -> None:
        """Read what is needed whatever the margin is, while that is measured."""
        await self._read(await self._cells(span))

    async def _find_margin(self) -> None:
        await self.margin()

    async def _cells(self, span: Span) -> list[ListKey]:
        """Return the lists of all cells that touch *span*, of all levels.

        Raises:
            RequestError: They are too many, or the collection has no spatial index.
        """
        self._check_spatial()
        touching = [lattice.cells_touching(span) for lattice in self.lists.lattices]
        count = sum(cells.count for cells in touching)
        if count > self._tools.max_cells:
            raise RequestError(
                f"{count} cells of the spatial index to read; this server reads at most "
                f"{self._tools.max_cells} for one request (max_cells): ask for a smaller box"
            )
        return await self.lists.cell_keys(touching)

    def _check_spatial(self) -> None:
        if not self.lists.lattices:
            raise RequestError("the collection has no spatial index: only label is supported")

    async def _everything(self, reason: str, wanted: Wanted) -> Elements:
        """Return all elements; *reason* begins the message if they are too many."""
        self._check_spatial()
        grids = [lattice.all_cells for lattice in self.lists.lattices]
        count = sum(cells.count for cells in grids)
        if count > MAX_CELLS_OF_ALL:
            raise RequestError(
                f"{reason}: its spatial index has {count} cells; this server reads at most "
                f"{MAX_CELLS_OF_ALL} for one request: ask for blocks"
            )
        keys = await self.lists.cell_keys(grids)
        try:
            lists = await self._read(keys)
        except RequestError as error:
            raise RequestError(f"{reason}: {error}") from error
        return await self._make(
            lambda: [Part(rows, np.flatnonzero(rows.is_placed)) for rows in lists], wanted
        )

    async def _of_label(self, label: int, *, with_relationships: bool) -> Elements:
        bodies = self.roles.bodies
        if not bodies:
            raise RequestError("the collection has no relationship to segments")
        lists = await self.lists.read_all(
            [self.lists.related_key(body.relationship, label) for body in bodies]
        )
        found = [(rows, body.end) for rows, body in zip(lists, bodies, strict=True) if rows is not None]
        wanted = Wanted(with_relations=with_relationships)
        return await self._make(lambda: [Part(rows, ends_of(rows, end)) for rows, end in found], wanted)

    async def _read(self, keys: Sequence[ListKey]) -> list[Rows]:
        """Return the lists that exist."""
        return [rows for rows in await self.lists.read_all(keys) if rows is not None]

    async def _make(self, choose: Callable[[], list[Part]], wanted: Wanted) -> Elements:
        """Return the elements that the chosen ends of some lists are."""
        properties, roles = self.collection.properties, self.roles

        def make() -> Elements:
            parts = [part for part in choose() if len(part.ends)]
            return make_elements(gather(parts), properties, roles, wanted) if parts else NO_ELEMENTS

        return await self._tools.run(make)
