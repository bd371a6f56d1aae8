"""Names of chunks, as the specifications give them as examples."""

import pytest

from dvidpc.formats.arrays.chunk_keys import KeyEncoding

CASES = [
    (KeyEncoding("."), (0, 10, 2), "0.10.2"),
    (KeyEncoding("/"), (0, 10, 2), "0/10/2"),
    (KeyEncoding("/", "c"), (0, 10, 2), "c/0/10/2"),
    (KeyEncoding(".", "c"), (0, 10, 2), "c.0.10.2"),
    (KeyEncoding("."), (), "0"),
    (KeyEncoding("/", "c"), (), "c"),
]


@pytest.mark.parametrize(("keys", "cell", "name"), CASES)
def test_names_go_both_ways(keys: KeyEncoding, cell: tuple[int, ...], name: str) -> None:
    assert keys.encode(cell) == name
    assert keys.decode(name, len(cell)) == cell


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".zarray",
        ".zattrs",
        "0.0",
        "0.0.0.0",
        "0.0.01",
        "0.0.-1",
        "0.0.x",
        "c.0.0.0",
        "0/0/0",
        "0.0.\u0661",
    ],
)
def test_other_names_are_no_chunks(name: str) -> None:
    assert KeyEncoding(".").decode(name, 3) is None
    assert KeyEncoding("/", "c").decode(name, 3) is None
