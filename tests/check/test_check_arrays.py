"""`dvidpc check` of zarr and N5: holes are information, a window is proposed, fixes name the line."""

import json
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cli import main
from tests.array_stores import store_section
from tests.array_volumes import levels_of, tissue, write_cosem_n5, write_ome_zarr
from tests.drawn_arrays import DrawnArray, write_array
from tests.volumes import VolumeSpec, write_volume


def config_of(tmp_path: Path, *sections: str) -> str:
    path = tmp_path / "config.toml"
    path.write_text("\n".join(sections))
    return str(path)


def section(tmp_path: Path, name: str, engine: str = "zarr", below: str = "", **keys: str) -> str:
    return store_section(name, f"file://{tmp_path}/{name}{below}", keys, engine)


def test_levels_are_reported_with_how_they_are_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voxels = tissue((130, 150, 140))
    voxels[:64, :64, :64] = 0
    write_ome_zarr(tmp_path / "v2", levels_of(voxels, 2))
    write_ome_zarr(tmp_path / "v3", [voxels], version="0.5", chunk=(32, 32, 32), shard=(4, 4, 4))
    write_cosem_n5(tmp_path / "n5", [voxels])
    write_ome_zarr(tmp_path / "seg", [voxels.astype("u4")], is_labels=True)
    sections = [section(tmp_path, name) for name in ("v2", "v3", "seg")]
    assert main(["check", "--deep", config_of(tmp_path, *sections, section(tmp_path, "n5", "n5"))]) == 0
    said = " ".join(capsys.readouterr().out.split())  # whatever the width of the terminal
    for line in (
        "scale 0: OME-Zarr 0.4: 140 x 150 x 130 voxels of 8 x 8 x 8 nm at 0,0,0, 1 x uint8 zarr v2 zstd",
        "unsharded, chunks of 64 x 64 x 64, fill value 0 -> v2 (uint8blk): re-encoded as",
        "scale 0: 26 of 27 chunks of 64 x 64 x 64 are stored; the others hold the fill value 0",
        "1 x uint8 zarr v3 zstd, sharded (128 x 128 x 128), chunks of 32 x 32 x 32, fill value 0 -> v3 (",
        "1 x uint8 N5 gzip, unsharded, chunks of 64 x 64 x 64, fill value 0 -> n5 (uint8blk)",
        "1 x uint32 (served as uint64) zarr v2 zstd, unsharded, chunks of 64 x 64 x 64, fill value 0 -> seg",
    ):
        assert line in said
    assert "warning" not in said
    assert "problem" not in said


def test_json_counts_what_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    voxels = tissue((130, 150, 140))
    voxels[64:128, 64:128, 64:128] = 0
    write_ome_zarr(tmp_path / "v2", [voxels])
    assert main(["check", "--deep", "--json", config_of(tmp_path, section(tmp_path, "v2"))]) == 0
    [report] = map(json.loads, capsys.readouterr().out.splitlines())
    [count] = report["counts"]
    assert (count["expected"], count["stored"]) == (27, 26)


@pytest.mark.parametrize("data_type", ["uint16", "float32"])
def test_a_window_is_proposed_from_the_coarsest_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data_type: str
) -> None:
    fine = tissue((64, 64, 64), data_type)
    coarse = np.linspace(4, 251, 32**3).reshape(32, 32, 32).astype(data_type)
    coarse[0] = 0
    low, high = np.percentile(coarse[coarse != 0], (0.5, 99.5))
    write_ome_zarr(tmp_path / "em", [fine, coarse])
    assert main(["check", config_of(tmp_path, section(tmp_path, "em"))]) == 0
    said = capsys.readouterr().out
    if data_type == "uint16":
        assert f"[store.em] window = [{np.floor(low):g}, {np.ceil(high):g}]\n" in said
    else:
        assert f"[store.em] window = [{low:.4g}, {high:.4g}]\n" in said
    assert main(["check", config_of(tmp_path, section(tmp_path, "em", window="[0, 9]"))]) == 0
    said = capsys.readouterr().out
    assert "window = " not in said
    assert "em (uint8blk)" in said


def test_a_window_is_proposed_for_precomputed_volumes_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(data_type="uint16"))
    write_volume(tmp_path / "grey", VolumeSpec())
    sections = [section(tmp_path, name, "ngprecomputed") for name in ("em", "grey")]
    assert main(["check", config_of(tmp_path, *sections)]) == 0
    said = capsys.readouterr().out
    assert said.count("NeuTu shows only 8 bits; to serve it so: [store.em] window = [") == 1
    assert "[store.grey] window" not in said


def test_chunks_with_another_separator_are_named_with_the_line_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = DrawnArray("zarr2", "zarr", "uint8", "zyx", (20, 20, 20), (8, 8, 8), "zstd", keys="/")
    write_array(drawn, tmp_path / "em")
    document = tmp_path / "em" / ".zarray"
    content = json.loads(document.read_text())
    del content["dimension_separator"]
    document.write_text(json.dumps(content))
    assert main(["check", "--deep", config_of(tmp_path, section(tmp_path, "em"))]) == 1
    said = capsys.readouterr().out
    assert "its chunks are stored with '/' between the numbers of their names" in said
    assert 'fix: [store.em] dimension_separator = "/"\n' in said
    keys = {"dimension_separator": '"/"'}
    assert main(["check", "--deep", config_of(tmp_path, section(tmp_path, "em", **keys))]) == 0
    assert "27 of 27 chunks" in capsys.readouterr().out


def test_wrong_places_and_engines_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ome_zarr(tmp_path / "root" / "recon" / "em", [tissue((20, 20, 20))])
    write_ome_zarr(tmp_path / "em", [tissue((20, 20, 20))])
    write_volume(tmp_path / "pre", VolumeSpec())
    sections = [
        section(tmp_path, "root"),
        section(tmp_path, "em", "n5"),
        section(tmp_path, "pre"),
        section(tmp_path, "nothing"),
    ]
    assert main(["check", config_of(tmp_path, *sections)]) == 1
    captured = capsys.readouterr()
    assert f"there is an OME-Zarr group below it: file://{tmp_path}/root/recon/em\n" in captured.out
    assert f'fix: [store.root] ref = "file://{tmp_path}/root/recon/em"\n' in captured.out
    assert 'fix: [store.em] engine = "zarr"\n' in captured.out
    assert 'fix: [store.pre] engine = "ngprecomputed"\n' in captured.out
    assert f"file://{tmp_path}/nothing: there is no zarr.json and no .zattrs and no .zarray" in captured.out
    assert captured.err == "dvidpc: 4 of 4 volumes have problems\n"


def test_an_array_that_cannot_be_served_says_which_key_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = DrawnArray("zarr3", "tensorstore", "uint8", "tzyx", (3, 9, 9, 9), (1, 8, 8, 8), "zstd")
    write_array(drawn, tmp_path / "em")
    assert main(["check", config_of(tmp_path, section(tmp_path, "em"))]) == 1
    said = capsys.readouterr().out
    assert "fix: [store.em] at = { t = 0 }\n" in said
    assert main(["check", config_of(tmp_path, section(tmp_path, "em", at="{ t = 2 }"))]) == 0


def test_empty_array_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ome_zarr(tmp_path / "em", [np.zeros((20, 20, 20), "u1")])
    assert main(["check", "--deep", config_of(tmp_path, section(tmp_path, "em"))]) == 0
    said = capsys.readouterr().out
    assert "none of its 1 chunks of 64 x 64 x 64 is stored; is the scale empty?" in said
