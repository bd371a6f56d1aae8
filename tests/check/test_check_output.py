"""A report is written whatever characters it holds, and whatever stdout can write."""

import os
from pathlib import Path

import pytest

from tests.check.test_check_buckets import KEYS, check
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume


@pytest.mark.parametrize("options", [(), ("--json",), ("--deep",)], ids=["text", "json", "deep"])
@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "utf-8"])
async def test_any_encoding_of_stdout_takes_a_report(
    tmp_path: Path, encoding: str, options: tuple[str, ...]
) -> None:
    volume = tmp_path / "Maus-Großhirn 脳"
    write_volume(volume, VolumeSpec(holes=((0, 0, 0),)))
    text = config_text({"maus": volume}).replace('instance = "maus"', 'instance = "großhirn-脳"')
    said = await check(tmp_path, text, *options, environ={**KEYS, "PYTHONIOENCODING": encoding})
    assert (said.code, said.err) == (0, "")
    shown = "gro\\xdfhirn-\\u8133" if encoding.startswith("ascii") else "hirn-"
    assert shown in said.out or "--json" in options


async def test_names_that_are_not_utf_8_are_written_as_escapes(tmp_path: Path) -> None:
    """Python keeps such bytes of an argument as surrogates, which no encoding can write."""
    directory = os.fsencode(tmp_path) + b"/v\xff"
    os.mkdir(directory)  # noqa: PTH102
    path = Path(os.fsdecode(directory))
    write_volume(tmp_path / "em", VolumeSpec())
    said = await check(path, config_text({"em": tmp_path / "em"}) + "nonsense = 1\n")
    assert said.code == 2
    assert "Traceback" not in said.err
    assert "v\\udcff" in said.err
