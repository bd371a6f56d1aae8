"""Makes DVID's elements of annotations: one for each voxel and kind, however many end there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.elements import ABSENT, Column, Elements, Relations
from dvidpc.formats.precomputed.annotation_info import RANK
from dvidpc.formats.precomputed.annotation_properties import Property
from dvidpc.formats.precomputed.annotation_roles import Kinds, Roles
from dvidpc.formats.precomputed.annotation_rows import Ends
from dvidpc.formats.precomputed.annotation_settings import KINDS, End, Kind
from dvidpc.formats.precomputed.annotation_values import Coded, code_geometry, code_property

BLOCK_SIZE: Final = 64
"""Voxels along each edge of a block of elements: as those of labels."""

_GROUPED_WITH: Final = 4
_SYNAPTIC: Final = {(Kind.POST_SYN, Kind.PRE_SYN): 1, (Kind.PRE_SYN, Kind.POST_SYN): 2}
"""The number of the `Rel` of an element to its partner, by the kinds of both."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What elements are made for."""

    by_block: bool = False
    """Whether they are sorted by block before they are by voxel."""
    with_relations: bool = True
    """Whether they have `Rels`."""


def make_elements(ends: Ends, properties: Sequence[Property], roles: Roles, wanted: Wanted) -> Elements:
    """Return the elements that *ends* are, sorted by z, y, x and kind.

    Ends on one voxel of one kind make one element. It has the members of `Prop` that they agree on, all of
    their tags, and all of their partners.

    Args:
        ends: The ends, no end twice.
        properties: Those of the collection.
        roles: What everything in the collection is.
        wanted: What the elements are for.
    """
    groups = _group(ends, properties, roles, wanted)
    known = {each.id: each for each in properties}
    columns = [
        _column(groups, member.name, member.end, code_property(ends.decoded.records, known[member.property]))
        for member in roles.members
    ]
    geometry = code_geometry(ends.decoded, roles.annotation_type, roles.placement)
    columns += [_column(groups, name, None, coded) for name, coded in geometry.items()]
    first = groups.entries[groups.starts]
    return Elements(
        ends.voxels.reshape(-1, RANK)[first],
        groups.kinds[groups.starts],
        tuple(sorted(columns, key=lambda column: column.name)),
        _tags(groups, ends, roles, known) if roles.tags else None,
        _relations(groups, ends, roles) if wanted.with_relations else None,
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """Ends in the order of elements."""

    entries: NDArray[np.int64]
    """The ends, numbered as in `Rows.by_z`."""
    kinds: NDArray[np.uint8]
    """The kind of each, a number of KINDS."""
    starts: NDArray[np.int64]
    """Where each element begins."""
    num_ends: int

    @property
    def rows(self) -> NDArray[np.int64]:
        """The annotation of each end."""
        return self.entries // self.num_ends

    @property
    def bounds(self) -> NDArray[np.int64]:
        """Where each element begins, and the number of ends."""
        return np.append(self.starts, len(self.entries))


def _group(ends: Ends, properties: Sequence[Property], roles: Roles, wanted: Wanted) -> _Groups:
    num_ends = ends.is_placed.shape[1]
    voxels = ends.voxels.reshape(-1, RANK)
    chosen = ends.chosen
    kinds = _kinds(ends, properties, roles.kinds)
    at = voxels[chosen]
    keys = [kinds, *at.T]  # the last key comes first
    if wanted.by_block:
        keys += list((at // BLOCK_SIZE).T)
    if num_ends > 1:
        keys = [*voxels[chosen ^ 1].T, *keys]
    order = np.lexsort(keys)
    entries, kinds, at = chosen[order], kinds[order], at[order]
    is_new = np.ones(len(entries), np.bool_)
    is_new[1:] = (at[1:] != at[:-1]).any(axis=1) | (kinds[1:] != kinds[:-1])
    return _Groups(entries, kinds, np.flatnonzero(is_new), num_ends)


def _kinds(ends: Ends, properties: Sequence[Property], kinds: Kinds) -> NDArray[np.uint8]:
    """Return the kind of each chosen end."""
    num_ends = ends.is_placed.shape[1]
    of_ends = np.array([KINDS.index(kind) for kind in kinds.of_ends], np.uint8)
    found: NDArray[np.uint8] = of_ends[ends.chosen % num_ends]
    prop = next((each for each in properties if each.id == kinds.property), None)
    if prop is not None:
        coded = code_property(ends.decoded.records, prop)
        meant = dict(kinds.by_label)
        own = [KINDS.index(meant.get(text, Kind.UNKNOWN)) for text in coded.all_texts]
        of_rows = np.array(own, np.uint8)[coded.codes][ends.chosen // num_ends]
        found = np.where(of_rows, of_rows, found)  # 0 is unknown: the word means no kind
    return found


def _column(groups: _Groups, name: str, end: End | None, coded: Coded) -> Column:
    """Return the values that all ends of an element agree on; only those of one *end*, unless it is None."""
    low, high = _range_of_codes(groups, end, coded)
    return Column(name, np.where(low == high, low, ABSENT), coded.texts)


def _range_of_codes(
    groups: _Groups, end: End | None, coded: Coded
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lowest and the highest code in each element; if it has none, the highest is ABSENT."""
    if not len(groups.starts):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    codes = coded.codes[groups.rows]
    if end is None:
        return np.minimum.reduceat(codes, groups.starts), np.maximum.reduceat(codes, groups.starts)
    is_shown = groups.entries % groups.num_ends == end
    low = np.minimum.reduceat(np.where(is_shown, codes, coded.num_codes), groups.starts)
    return low, np.maximum.reduceat(np.where(is_shown, codes, ABSENT), groups.starts)


def _tags(groups: _Groups, ends: Ends, roles: Roles, known: Mapping[str, Property]) -> list[tuple[str, ...]]:
    """Return the tags of each element, sorted: those of all its ends."""
    found: list[set[str]] = [set() for _ in groups.starts]
    for source in roles.tags:
        coded = code_property(ends.decoded.records, known[source.property])
        texts = [source.template.replace("{}", text) if text else "" for text in coded.all_texts]
        low, high = _range_of_codes(groups, source.end, coded)
        for number in np.flatnonzero(high != ABSENT).tolist():
            if low[number] == high[number]:
                found[number].add(texts[low[number]])
            else:
                found[number].update(texts[code] for code in _codes_of(groups, number, source.end, coded))
    return [tuple(sorted(tags - {""})) for tags in found]


def _codes_of(groups: _Groups, number: int, end: End | None, coded: Coded) -> Iterator[int]:
    """Yield the codes of the ends of one element; only those of one *end*, unless it is None."""
    first, last = groups.bounds[number : number + 2].tolist()
    entries = groups.entries[first:last]
    if end is not None:
        entries = entries[entries % groups.num_ends == end]
    yield from coded.codes[entries // groups.num_ends].tolist()


def _relations(groups: _Groups, ends: Ends, roles: Roles) -> Relations:
    """Return the partners of each element, each once, sorted by z, y, x."""
    if groups.num_ends == 1:
        nothing = np.zeros(len(groups.starts) + 1, np.int64)
        return Relations(nothing, np.empty(0, np.uint8), np.empty((0, RANK), np.int32))
    partners = groups.entries ^ 1
    kept = np.flatnonzero(ends.is_placed.reshape(-1)[partners])
    targets = ends.voxels.reshape(-1, RANK)[partners[kept]]
    elements = np.searchsorted(groups.starts, kept, side="right")
    is_new = np.ones(len(kept), np.bool_)
    is_new[1:] = (targets[1:] != targets[:-1]).any(axis=1) | (elements[1:] != elements[:-1])
    firsts = np.searchsorted(kept[is_new], groups.bounds)
    return Relations(firsts, _words(groups, roles.kinds)[kept[is_new]], targets[is_new])


def _words(groups: _Groups, kinds: Kinds) -> NDArray[np.uint8]:
    """Return what each end is to its partner; only ends that have their usual kind are synaptic."""
    usual = [KINDS.index(kind) for kind in kinds.of_ends]
    words = [
        _SYNAPTIC.get((own, other), _GROUPED_WITH) for own, other in (kinds.of_ends, kinds.of_ends[::-1])
    ]
    ends = groups.entries % groups.num_ends
    is_usual = groups.kinds == np.array(usual, np.uint8)[ends]
    return np.where(is_usual, np.array(words, np.uint8)[ends], _GROUPED_WITH).astype(np.uint8)
