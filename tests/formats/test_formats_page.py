"""Every test that docs/formats.md names as a proof exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_proof_that_the_page_names_is_a_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "formats.md").read_text()))
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert len(named) > 20
    assert named <= set(re.findall(r"def (test_\w+)\(", text))
