"""Reports are written as text or JSON, and the exit code says whether a volume has problems."""

import json
from pathlib import Path

import pytest

from dvidpc.cli import main
from tests.check.test_checking import config_of
from tests.volumes import VolumeSpec, write_volume


def test_json_is_one_line_per_volume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    assert main(["check", "--json", config_of(tmp_path, "em", "nothing")]) == 1
    em, nothing = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (em["problems"], em["warnings"]) == ([], [])
    assert len(em["lines"]) == 2  # access, and the one scale
    assert "does not exist" in nothing["problems"][0]


def test_a_wrong_configuration_is_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[store.a]\nengine = 'ngprecomputed'\n")
    assert main(["check", str(path)]) == 2
