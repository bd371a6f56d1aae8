"""The documentation lists every deliberate difference from DVID."""

from pathlib import Path

from tests.dvid.labelmap.differences import DIFFERENCES
from tests.dvid.labelmap.indexed_differences import INDEX_DIFFERENCES

PAGE = Path(__file__).parents[3] / "docs" / "from-dvid.md"


def test_the_documentation_lists_the_differences() -> None:
    rows = [f"| {one.dvid} | {one.ours} |" for one in DIFFERENCES]
    table = PAGE.read_text().split("## Differences of labelmap")[1]
    assert [line for line in table.splitlines() if line.startswith("| ")][1:] == rows


def test_the_documentation_lists_the_differences_with_a_label_index() -> None:
    rows = [f"| {one.dvid} | {one.ours} |" for one in INDEX_DIFFERENCES]
    section = (
        PAGE.read_text().split("## Differences with a label index")[1].split("## Differences of labelmap")[0]
    )
    assert [line for line in section.splitlines() if line.startswith("| ")][1:] == rows
