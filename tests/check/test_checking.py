"""`dvidpc check`: its reports and exit codes."""

import json
from pathlib import Path

import pytest

from dvidpc.cli import main
from tests.serving import config_text
from tests.volumes import VolumeSpec, sharding, write_volume


def config_of(tmp_path: Path, *names: str, more: str = "") -> str:
    path = tmp_path / "config.toml"
    path.write_text(config_text({name: tmp_path / name for name in names}, more))
    return str(path)


def rewrite_info(directory: Path, level: int, **changes: object) -> None:
    info = json.loads((directory / "info").read_text())
    info["scales"][level] |= changes
    (directory / "info").write_text(json.dumps(info))


def test_each_scale_is_reported_with_how_it_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "grey", VolumeSpec(encoding="jpeg", sharding=sharding(), scale_levels=2))
    write_volume(tmp_path / "odd", VolumeSpec(data_type="uint16", chunk_size=(32, 64, 16), num_channels=2))
    write_volume(tmp_path / "png", VolumeSpec(encoding="png"))
    assert main(["check", config_of(tmp_path, "grey", "odd", "png")]) == 0
    said = capsys.readouterr().out
    assert (
        "scale 0: 150 x 130 x 100 voxels of 8 x 8 x 8 nm at 0,0,0, 1 x uint8 jpeg, sharded (identity)" in said
    )
    assert "-> grey_1 (uint8blk): passed through as blocks of 64 x 64 x 64" in said
    assert "-> odd, odd_c1 (uint16blk): re-gridded as blocks of 64 x 64 x 64" in said
    assert "-> png (uint8blk): re-encoded as blocks" in said
    assert "problem" not in said
    assert "warning" not in said


def test_problems_are_reported_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "half", VolumeSpec(scale_levels=2))
    rewrite_info(tmp_path / "half", 1, encoding="brotli-magic")
    write_volume(tmp_path / "torn", VolumeSpec(encoding="jpeg"))
    chunk = tmp_path / "torn" / "s0" / "0-64_0-64_0-64"
    chunk.write_bytes(chunk.read_bytes()[:100])
    write_volume(tmp_path / "empty", VolumeSpec())
    for file in (tmp_path / "empty" / "s0").iterdir():
        file.unlink()
    assert main(["check", config_of(tmp_path, "half", "torn", "empty", "nothing")]) == 1
    captured = capsys.readouterr()
    assert "scale 1 is not served: encoding is 'brotli-magic', not one of raw, jpeg" in captured.out
    assert "s0/0-64_0-64_0-64: malformed JPEG" in captured.out or "truncated JPEG" in captured.out
    assert "is the scale empty?" in captured.out
    assert "nothing/info does not exist" in captured.out
    assert captured.err == "dvidpc: 3 of 4 volumes have problems\n"
