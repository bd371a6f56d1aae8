"""The configuration reference; that docs/configuration.md is up to date is tested in tests/test_docs.py."""

import pytest

from dvidpc.config.reading import keys_of
from dvidpc.config.reference import reference
from tests.config.test_sections import SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_has_a_row_below_the_heading_of_its_section(name: str) -> None:
    heading = name.replace("mystorage", "<alias>")
    _, _, section = reference().partition(f"## `[{heading}]`\n")
    rows = [row.split(" | ") for row in section.partition("\n## ")[0].splitlines() if row.startswith("| `")]
    assert [row[0] for row in rows] == [f"| `{key}`" for key in keys_of(SECTIONS[name])]
    assert all(len(row) == 3 and row[2].endswith(". |") for row in rows)


@pytest.mark.parametrize(
    "row",
    [
        '| `httpAddress` | `"localhost:8000"` |',
        '| `memory` | `"512MiB"` |',
        '| `max_cutout` | `"3GiB"` |',
        "| `backoff_min` | `0.05` |",
        "| `missing_status` | `[404]` |",
        "| `skip_scales` | `[]` |",
        '| `omit_failed_blocks_for` | `["lowtis"]` |',
        "| `allowTiming` | `false` |",
        "| `pidFile` | unset |",
        '| `enforce` | `"none"` |',
    ],
)
def test_default_is_written_as_in_the_file(row: str) -> None:
    assert f"\n{row} " in reference()
