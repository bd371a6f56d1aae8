"""The pages are up to date: the files, tests and headings they name exist. For commands see tests/cli."""

import fnmatch
import re
from pathlib import Path

import pytest

from benchmarks import installation
from dvidpc.config.reference import reference
from tests.load.run import LONG, ROWS

ROOT = Path(__file__).parents[1]
ROOMS = "deploy|cli|look|run|web|dvid|http|data|volume|sources|cache|storage|formats|config|log"
PAGES = sorted(path for place in (".", "docs", "benchmarks") for path in (ROOT / place).glob("*.md"))


def test_the_configuration_page_is_generated_from_the_types() -> None:
    page = ROOT / "docs" / "configuration.md"
    assert page.read_text() == reference(), "run: python -m dvidpc.config.reference > docs/configuration.md"


def test_the_table_of_installations_is_reckoned_from_the_results() -> None:
    page = installation.PAGE.read_text()
    assert installation.written_page(page, installation.results()) == page, (
        "run: python -m benchmarks.installation --write"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    for name in re.findall(rf"`((?:{ROOMS})/[\w./-]+\.\w+)`", text):
        place = ROOT if name.startswith("deploy/") else ROOT / ("tests" if "/test_" in name else "dvidpc")
        assert (place / name).is_file(), name
    for name in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_that_a_page_links_to_exist(page: Path) -> None:
    for name, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", page.read_text()):
        linked = page.parent / name if name else page
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    sources = {path.name: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    functions = re.findall(r"def (test_\w+)\(", "".join(sources.values()))
    for name in re.findall(r"`(test_[\w.*]+)`", page.read_text()):
        known = sources if name.endswith(".py") else functions
        assert fnmatch.filter(known, name), name


def test_load_rows_that_the_reliability_page_names_exist() -> None:
    named = set(re.findall(r"make load ROWS=(\w+)", (ROOT / "docs" / "reliability.md").read_text()))
    assert len(named) > 10
    assert named <= (ROWS | LONG).keys()
