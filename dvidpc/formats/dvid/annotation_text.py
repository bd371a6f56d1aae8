"""Writes elements of annotations as DVID does.

`{"Pos":[x,y,z],"Kind":"PreSyn","Tags":[],"Prop":{"conf":"0.5"},"Rels":[{"Rel":"PreSynTo","To":[x,y,z]}]}`:
members in this order, no spaces, `Prop` sorted by key and with strings only. DVID writes `null` for what was
posted without a member. We write an empty list or object, as some clients demand.
(annotation.go:583-590, 700-731 at 3400c2cb)
"""

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Final

import msgspec
import numpy as np

from dvidpc.formats.dvid.elements import ABSENT, Elements, Relations
from dvidpc.formats.dvid.go_json import encode_texts
from dvidpc.formats.precomputed.annotation_settings import KINDS

RELATIONS: Final = ("UnknownRelationship", "PostSynTo", "PreSynTo", "ConvergentTo", "GroupedWith")
"""The values of `Rel`.  (annotation.go:93-126)"""

_BARE: Final = msgspec.defstruct("Element", ["Pos", "Kind", "Tags", "Prop"], gc=False)
_ELEMENT: Final = msgspec.defstruct("Element", ["Pos", "Kind", "Tags", "Prop", "Rels"], gc=False)
_RELATION: Final = msgspec.defstruct("Relation", ["Rel", "To"], gc=False)
_KINDS: Final = [kind.value for kind in KINDS]
_ENCODER: Final = msgspec.json.Encoder()
_EMPTY_LIST: Final = msgspec.Raw(b"[]")
_EMPTY_OBJECT: Final = msgspec.Raw(b"{}")


def encode_elements(elements: Elements, start: int, stop: int) -> list[bytes]:
    """Return the JSON of the elements from *start* to *stop*, which is exclusive."""
    positions = elements.voxels[start:stop].tolist()
    kinds = [_KINDS[kind] for kind in elements.kinds[start:stop].tolist()]
    tags, props = _tags(elements, start, stop), _props(elements, start, stop)
    if elements.relations is None:
        written = [_BARE(*each) for each in zip(positions, kinds, tags, props, strict=True)]
    else:
        rels = _relations(elements.relations, start, stop)
        written = [_ELEMENT(*each) for each in zip(positions, kinds, tags, props, rels, strict=True)]
    return _ENCODER.encode_lines(written).split(b"\n")[:-1]


def _relations(relations: Relations, start: int, stop: int) -> Iterator[list[msgspec.Struct]]:
    """Yield the `Rels` of each element."""
    firsts = relations.firsts[start : stop + 1]
    words = [RELATIONS[word] for word in relations.words[firsts[0] : firsts[-1]].tolist()]
    targets = relations.targets[firsts[0] : firsts[-1]].tolist()
    rels = [_RELATION(word, target) for word, target in zip(words, targets, strict=True)]
    for first, last in pairwise((firsts - firsts[0]).tolist()):
        yield rels[first:last]


def _props(elements: Elements, start: int, stop: int) -> list[msgspec.Raw]:
    columns = []
    for column in elements.columns:
        used, places = np.unique(column.codes[start:stop], return_inverse=True)
        is_absent = ABSENT in used[:1]  # it is the lowest code
        key = encode_texts([column.name])[0] + b":"
        texts = encode_texts(column.texts(used[1:] if is_absent else used))
        members = [*([b""] if is_absent else []), *(key + text for text in texts)]
        columns.append([members[place] for place in places.tolist()])
    if not columns:
        return [_EMPTY_OBJECT] * (stop - start)
    return [msgspec.Raw(b"{" + b",".join(filter(None, row)) + b"}") for row in zip(*columns, strict=True)]


def _tags(elements: Elements, start: int, stop: int) -> list[msgspec.Raw]:
    if elements.tags is None:
        return [_EMPTY_LIST] * (stop - start)
    tags = elements.tags[start:stop]
    known = {each: msgspec.Raw(b"[" + b",".join(encode_texts(each)) + b"]") for each in set(tags)}
    return [known[each] for each in tags]


def encode_blocks(elements: Elements, block_size: int, start: int, stop: int) -> bytes:
    """Return the JSON of elements by block, `{"bx,by,bz":[...],...}`, from *start* to *stop*.

    What this returns for consecutive ranges makes up the whole document.

    Args:
        elements: Sorted by block.
        block_size: Voxels along each edge of a block.
        start: The first element of the part.
        stop: The end of the part, exclusive.
    """
    if not len(elements):
        return b"{}"
    blocks = elements.voxels[max(start - 1, 0) : stop] // block_size
    is_new = np.append(start == 0, (blocks[1:] != blocks[:-1]).any(axis=1))[-(stop - start) :]
    before = [b","] * (stop - start)
    for number in np.flatnonzero(is_new).tolist():
        name = ",".join(map(str, blocks[number - (stop - start)].tolist()))
        before[number] = f'],"{name}":['.encode() if start + number else f'{{"{name}":['.encode()
    lines = encode_elements(elements, start, stop)
    after = b"]}" if stop == len(elements) else b""
    return b"".join(chain.from_iterable(zip(before, lines, strict=True))) + after
