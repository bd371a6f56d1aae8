"""The keys of a store that are for annotations only."""

from pathlib import Path

import pytest

from dvidpc.formats.precomputed.annotation_settings import Kind, KindProperty
from tests.config.files import STORE, error_of, load

KINDS = 'expected a kind, an array of two, or "property:<id>"'
WRONG = [
    ("sync = 'a/b'", 'the string "a/b" cannot be part of a URL path (no spaces, none of / ? # % \\)'),
    ("sync = 3", "expected the instance of a store, got the integer 3"),
    ("voxel_size = 8", "expected an array of three sizes in nm, x, y and z, got the integer 8"),
    ("voxel_size = [8, 8]", "expected an array of three sizes in nm, x, y and z, got an array"),
    ("voxel_size = [8, 8, 0]", "expected sizes above 0 in nm, got the integer 0"),
    ("voxel_size = [8, nan, 8]", "expected sizes above 0 in nm, got the float nan"),
    ("voxel_size = [8, true, 8]", "expected sizes above 0 in nm, got the boolean true"),
    ("kind = 'presyn'", 'no kind of element is the string "presyn"; there are PreSyn, PostSyn, Gap, Note'),
    (
        "kind = 'property:'",
        'no kind of element is the string "property:"; there are PreSyn, PostSyn, Gap, Note',
    ),
    ("kind = ['PreSyn']", f"{KINDS}, got an array"),
    ("kind = ['PreSyn', 3]", "no kind of element is the integer 3; there are PreSyn, PostSyn, Gap, Note"),
    ("kind = 3", f"{KINDS}, got the integer 3"),
    ("bodies = 'a'", 'expected a table of relationships and ends, got the string "a"'),
    ("bodies = { pre = 'c' }", 'expected "a" or "b", the end of a line, got the string "c"'),
    ("bodies = { pre = 1 }", "expected strings in the table, got the integer 1"),
    ("tags = { roi = '' }", 'the string "" does not hold {} once, where the property\'s value goes'),
    ("tags = { roi = '{}{}' }", 'the string "{}{}" does not hold {} once, where the property\'s value goes'),
    ("props = { x = 'c:conf' }", 'the string "c:conf" is neither a name, "a:name", "b:name" nor empty'),
    ("props = { x = 'a:' }", 'the string "a:" is neither a name, "a:name", "b:name" nor empty'),
    ("margin = -1", 'expected a length of at least 0, or "auto", got the integer -1'),
    ("margin = inf", 'expected a length of at least 0, or "auto", got the float inf'),
    ("margin = 'all'", 'expected a length of at least 0, or "auto", got the string "all"'),
]


@pytest.mark.parametrize(("line", "reason"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_value_names_the_line_to_write(tmp_path: Path, line: str, reason: str) -> None:
    key = line.split(maxsplit=1)[0]
    message = error_of(tmp_path, f"{STORE}{line}\n")
    assert message.startswith(f"[store.em] {key}: {reason}; write for example {key} = ")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("kind = 'Note'", (Kind.NOTE, Kind.NOTE)),
        ("kind = 'property:cell type'", KindProperty("cell type")),
        ("kind = ''", None),
        ("kind = ['Gap', 'Gap']", (Kind.GAP, Kind.GAP)),
        ("voxel_size = ''", None),
        ("sync = ''", None),
        ("margin = 'auto'", None),
        ("margin = 0", 0.0),
        ("bodies = {}", ()),
    ],
)
def test_a_value_is_read(tmp_path: Path, line: str, value: object) -> None:
    [store] = load(tmp_path, f"{STORE}{line}\n").stores
    assert getattr(store, line.split(maxsplit=1)[0]) == value
