"""`dvidpc check --deep` looks up annotations where their own records say that they are listed."""

from pathlib import Path

from tests.check.test_check_collections import SHARED, report_on, texts
from tests.synapses import write_lines


async def test_annotations_are_found_in_the_lists_of_related_objects(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    report = await report_on(tmp_path, deep=True)
    assert "by_id: 8 annotations looked up in the lists of related objects" in report.lines
    assert texts(report) == []


async def test_lists_that_lack_an_annotation_are_reported(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    (tmp_path / "syn" / "rel_post_body" / "5").write_bytes(bytes(8))
    report = await report_on(tmp_path, deep=True)
    assert texts(report) == [
        "lists of related objects lack 8 annotations, such as 1 from 5 of post_body: label lacks them"
    ]


async def test_a_damaged_record_is_reported(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn", SHARED)
    (tmp_path / "syn" / "by_id" / "3").write_bytes(b"damaged")
    (problem,) = (await report_on(tmp_path, deep=True)).problems
    assert "by_id/3: annotation has 7 bytes, fewer than 32" in problem.text
