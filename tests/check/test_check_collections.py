"""`dvidpc check` on collections of annotations."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dvidpc.check.checking import check
from dvidpc.check.report import VolumeReport
from dvidpc.config import load_config
from tests.serving import config_text
from tests.synapses import LINES, Line, write_bodies, write_lines, writer_of

SHARED = [Line(n, (100, 100, 100), (100 + 2 * n, 110, 100), {"kind": 0}, 5, 5) for n in range(1, 9)]
"""Lines that share their A."""


async def report_on(directory: Path, more: str = "", *, deep: bool = False) -> VolumeReport:
    """Return the report on the collection `syn` in *directory*, beside the segmentation `seg`."""
    if not (directory / "seg").exists():
        write_bodies(directory / "seg")
    path = directory / "config.toml"
    path.write_text(config_text({"seg": directory / "seg", "syn": directory / "syn"}, more))
    reports = {report.name.split()[0]: report async for report in check(load_config(path), {}, deep=deep)}
    assert {*reports} == {"seg", "syn"}
    return reports["syn"]


def texts(report: VolumeReport) -> list[str]:
    return [finding.text for finding in (*report.warnings, *report.problems)]


async def test_a_good_collection_is_described(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    report = await report_on(tmp_path)
    assert texts(report) == []
    assert any(
        line.startswith("annotations of type line, 1 cells on 1 spatial level") for line in report.lines
    )
    assert "belongs to segmentation seg; positions count the voxels of seg, 8 x 8 x 8 nm" in report.lines
    assert "8 annotations in all 1 of 1 cells" in report.lines
    assert "8 lines start at 1 voxels (A) and end at 8 (B)" in report.lines


async def test_deep_compares_the_indexes(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    report = await report_on(tmp_path, deep=True)
    assert texts(report) == []
    assert "the longest annotation reaches 16 x 10 x 0 units" in report.lines
    assert "by_id: 8 annotations, of 8 in cells" in report.lines
    assert "pre_body of 1 of 1 objects: 8 annotations, of 8 in cells" in report.lines
    assert "post_body of 1 of 1 objects: 8 annotations, of 8 in cells" in report.lines


async def test_lines_that_share_their_b_are_suspicious(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", [line._replace(a=line.b, b=line.a) for line in SHARED])
    [warning] = (await report_on(tmp_path)).warnings
    assert warning.text.startswith(
        "B repeats more often than A, which is served as PreSyn: 8 voxels of A, 1 "
    )
    assert warning.fix == '[store.syn] kind = ["PostSyn", "PreSyn"]'
    assert (await report_on(tmp_path, 'kind = ["PostSyn", "PreSyn"]\n')).warnings == ()


async def test_a_margin_that_is_too_small_is_reported(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    [warning] = (await report_on(tmp_path, "margin = 4\n", deep=True)).warnings
    assert warning.text.startswith("an annotation reaches 16 x 10 x 0 units, but the margin is 4 x 4 x 4")
    assert warning.fix == "[store.syn] margin = 16"


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


async def test_cells_that_list_what_lies_elsewhere_are_reported(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)

    def split(info: dict[str, Any]) -> None:
        info["lower_bound"] = [0, 0, 0]
        info["spatial"][0].update(grid_shape=[2, 1, 1], chunk_size=[1000, 2000, 2000])

    rewrite(tmp_path / "syn" / "info", split)
    (tmp_path / "syn" / "spatial0" / "0_0_0").rename(tmp_path / "syn" / "spatial0" / "1_0_0")
    [warning] = (await report_on(tmp_path)).warnings
    assert warning.text.startswith("cells list what lies elsewhere: 8 of 8 entries")
    assert "[store.syn] margin = 16" in warning.fix


async def test_annotations_that_are_in_no_cell_are_reported(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", LINES)
    cell = tmp_path / "syn" / "spatial0" / "0_0_0"
    write_lines(tmp_path / "fewer", LINES[:2])
    cell.write_bytes((tmp_path / "fewer" / "spatial0" / "0_0_0").read_bytes())
    report = await report_on(tmp_path, deep=True)
    assert "by_id: 1 annotations, such as 7, are in no cell: boxes lack them" in texts(report)


async def test_a_damaged_list_is_a_problem(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn")
    cell = tmp_path / "syn" / "spatial0" / "0_0_0"
    cell.write_bytes(cell.read_bytes()[:-1])
    [problem] = (await report_on(tmp_path)).problems
    assert "spatial0/0_0_0" in problem.text
    assert problem.fix.startswith("upload it again from a good copy")


async def test_an_empty_collection_is_a_warning(tmp_path: Path) -> None:
    writer_of("point").write(tmp_path / "syn")
    report = await report_on(tmp_path)
    assert report.problems == ()
    assert any("none of the 1 cells that were read lists an annotation" in text for text in texts(report))


UNUSABLE: Sequence[tuple[str, str, str]] = [
    ('tags = { nothing = "{}" }\n', "[store.syn] tags", "correct [store.syn] of the configuration"),
    ('sync = "seg"\n[store.em]\nengine = "ngprecomputed"\nref = "/no"\n', "", ""),
]


@pytest.mark.parametrize(("more", "text", "fix"), UNUSABLE)
async def test_what_does_not_fit_the_collection_is_a_problem(
    tmp_path: Path, more: str, text: str, fix: str
) -> None:
    write_lines(tmp_path / "syn", SHARED)
    report = await report_on(tmp_path, more)
    assert [finding.text[: len(text)] for finding in report.problems] == ([text] if text else [])
    assert all(finding.fix.startswith(fix) for finding in report.problems)
