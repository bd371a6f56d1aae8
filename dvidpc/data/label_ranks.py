"""Which segments have the most annotations: known only by reading those of every segment.

A collection lists the annotations of a segment. So the ranks are found for small collections only, whose
segments can be listed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from dvidpc.data.annotation import Elements
from dvidpc.data.reopening import Reopening
from dvidpc.errors import RequestError, StoreRefusedError
from dvidpc.formats.precomputed.annotation_info import Index
from dvidpc.formats.precomputed.annotation_settings import Kind
from dvidpc.sources.collection_plan import CollectionPlan
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.listed_values import list_values
from dvidpc.storage.base import Lister, ObjectStore, OpenLister
from dvidpc.tasks import gather_or_cancel

MAX_RANKED: Final = 10_000
"""Segments beyond which none is ranked: each costs a read."""

_BATCH: Final = 32
"""Segments whose annotations are counted concurrently."""
_MAX_IDS: Final = 2**22
"""Ids of one minishard beyond which its index is surely damaged."""


class Rank(NamedTuple):
    """A segment, and how many annotations it has."""

    label: int
    size: int
    """How many annotations of the kind that was asked for."""


class LabelRanks:
    """The segments of one collection by their number of annotations; kept for a minute.

    Args:
        source: Counts the annotations of a segment.
        plan: The plan of the collection.
        store: Where it lies.
        open_lister: Opens what lists the store.
    """

    def __init__(
        self, source: Elements, plan: CollectionPlan, store: ObjectStore, open_lister: OpenLister
    ) -> None:
        self._source = source
        self._plan = plan
        self._store = store
        self._open_lister = open_lister
        self._labels = Reopening(self._list_labels)
        self._ranks: dict[Kind | None, Reopening[Sequence[Rank]]] = {}

    async def get(self, kind: Kind | None) -> Sequence[Rank]:
        """Return the segments that have any annotation of a kind, those with the most first; None: synapses.

        Raises:
            FormatError: An index or a list is malformed.
            RequestError: The segments cannot be listed, or are too many; the message says why.
            StoreError: The bucket failed.
        """
        ranks = self._ranks.get(kind)
        if ranks is None:
            ranks = self._ranks[kind] = Reopening(partial(self._rank, kind))
        return await ranks.get()

    def forget(self) -> None:
        """Drop all ranks."""
        self._labels.forget()
        self._ranks.clear()

    async def _rank(self, kind: Kind | None) -> Sequence[Rank]:
        labels = await self._labels.get()
        ranks: list[Rank] = []
        for at in range(0, len(labels), _BATCH):
            batch = labels[at : at + _BATCH]
            counts = await gather_or_cancel(self._source.count(label, kind) for label in batch)
            ranks += [Rank(label, count) for label, count in zip(batch, counts, strict=True) if count]
        return sorted(ranks, key=lambda rank: (-rank.size, rank.label))

    async def _list_labels(self) -> Sequence[int]:
        framed = self._plan.framed
        assert framed is not None
        relationships = self._plan.collection.relationships
        indexes = [relationships[body.relationship].index for body in framed.roles.bodies]
        lister = await self._open_lister()
        if lister is None:
            raise RequestError("segments are not ranked: a web server has no lists of them")
        try:
            labels = {label for index in indexes for label in await self._list(lister, index)}
        except StoreRefusedError as error:
            raise RequestError(f"segments are not ranked: the store refuses to list them: {error}") from error
        finally:
            await lister.close()
        _check(len(labels))
        return sorted(labels - {0})

    async def _list(self, lister: Lister, index: Index) -> set[int]:
        directory = resolve_key(self._plan.metadata.directory, index.key)
        found: set[int] = set()
        async for page in list_values(self._store, lister, directory, index.sharding, _MAX_IDS):
            found.update(page)
            _check(len(found))
        return found


def _check(count: int) -> None:
    if count > MAX_RANKED:
        raise RequestError(f"segments are not ranked: more than {MAX_RANKED} have annotations; use count")
