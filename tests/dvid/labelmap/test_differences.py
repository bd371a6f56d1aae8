"""The documentation lists every deliberate difference from DVID."""

from pathlib import Path

from tests.dvid.labelmap.differences import DIFFERENCES


def test_the_documentation_lists_the_differences() -> None:
    page = Path(__file__).parents[3] / "docs" / "from-dvid.md"
    rows = [f"| {one.dvid} | {one.ours} |" for one in DIFFERENCES]
    table = page.read_text().split("## Differences of labelmap")[1]
    assert [line for line in table.splitlines() if line.startswith("| ")][1:] == rows
