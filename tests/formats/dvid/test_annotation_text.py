"""Elements as text, to the byte."""

import json
from itertools import chain

import numpy as np
import pytest

from dvidpc.formats.dvid.annotation_text import encode_blocks, encode_elements
from dvidpc.formats.dvid.elements import ABSENT, NO_ELEMENTS, Column, Elements, Relations, Texts

VOXELS = np.array([[1, 2, 3], [-1, 2, 3], [64, 64, 64], [65, 64, 64]], np.int32)
KINDS = np.array([2, 1, 3, 4], np.uint8)


def of(*texts: str) -> Texts:
    """Texts whose codes are their positions."""
    return lambda codes: [texts[code] for code in codes.tolist()]


CONF = Column("conf", np.array([0, ABSENT, 1, ABSENT]), of("0.5", "1"))
ROI = Column("<roi>", np.array([1, 0, 1, ABSENT]), of("é&\u2028", 'a"b\\'))
RELATIONS = Relations(
    np.array([0, 2, 2, 3, 3]),
    np.array([2, 2, 4], np.uint8),
    np.array([[1, 1, 1], [2, 2, 2], [-(2**31), 0, 2**31 - 1]], np.int32),
)
ELEMENTS = Elements(VOXELS, KINDS, (ROI, CONF), [("b",), (), ("<t>", "u"), ()], RELATIONS)


def test_elements_are_written_as_by_dvid() -> None:
    assert encode_elements(ELEMENTS, 0, 4) == [
        (
            b'{"Pos":[1,2,3],"Kind":"PreSyn","Tags":["b"],'
            b'"Prop":{"\\u003croi\\u003e":"a\\"b\\\\","conf":"0.5"},'
            b'"Rels":[{"Rel":"PreSynTo","To":[1,1,1]},{"Rel":"PreSynTo","To":[2,2,2]}]}'
        ),
        (
            b'{"Pos":[-1,2,3],"Kind":"PostSyn","Tags":[],'
            b'"Prop":{"\\u003croi\\u003e":"\xc3\xa9\\u0026\\u2028"},"Rels":[]}'
        ),
        (
            b'{"Pos":[64,64,64],"Kind":"Gap","Tags":["\\u003ct\\u003e","u"],'
            b'"Prop":{"\\u003croi\\u003e":"a\\"b\\\\","conf":"1"},'
            b'"Rels":[{"Rel":"GroupedWith","To":[-2147483648,0,2147483647]}]}'
        ),
        b'{"Pos":[65,64,64],"Kind":"Note","Tags":[],"Prop":{},"Rels":[]}',
    ]


def test_nothing_is_ever_null() -> None:
    bare = Elements(VOXELS, KINDS, (), None, None)
    for elements in (ELEMENTS, bare):
        for line in encode_elements(elements, 0, 4):
            assert b"null" not in line
    assert encode_elements(bare, 3, 4) == [b'{"Pos":[65,64,64],"Kind":"Note","Tags":[],"Prop":{}}']


def test_a_part_is_written_as_it_is_in_the_whole() -> None:
    whole = encode_elements(ELEMENTS, 0, 4)
    for start in range(4):
        for stop in range(start, 5):
            assert encode_elements(ELEMENTS, start, stop) == whole[start:stop]


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_parts_of_blocks_make_up_one_document(step: int) -> None:
    parts = [encode_blocks(ELEMENTS, 64, at, min(at + step, 4)) for at in range(0, 4, step)]
    document = json.loads(b"".join(parts))
    assert list(document) == ["0,0,0", "-1,0,0", "1,1,1"]
    assert [len(block) for block in document.values()] == [1, 1, 2]
    assert list(chain.from_iterable(document.values())) == [
        json.loads(line) for line in encode_elements(ELEMENTS, 0, 4)
    ]


def test_no_elements_are_an_empty_object() -> None:
    assert encode_blocks(NO_ELEMENTS, 64, 0, 0) == b"{}"
    assert encode_elements(NO_ELEMENTS, 0, 0) == []


def test_elements_are_chosen_by_tag() -> None:
    found = ELEMENTS.with_tag("u")
    assert encode_elements(found, 0, 1) == encode_elements(ELEMENTS, 2, 3)
    assert len(ELEMENTS.with_tag("no such tag")) == 0
    assert len(Elements(VOXELS, KINDS, (), None, None).with_tag("u")) == 0
