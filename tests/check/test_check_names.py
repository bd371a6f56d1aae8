"""Where a scale has no chunks, `dvidpc check` reads the listing, and says what is there instead."""

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.check.test_check_buckets import Said, check, s3_text
from tests.s3_replay import ReplayedS3
from tests.servers import GoogleServer, run_google_server, serve, serve_directory
from tests.serving import config_text
from tests.volumes import VolumeSpec, sharding, write_volume

SHARDED = VolumeSpec(sharding=sharding(shard_bits=5, minishard_bits=0, preshift_bits=0))
BOTH = pytest.mark.parametrize("options", [("--deep",), ()], ids=["deep", "short"])
FIRST = "em/s0/0-64_0-64_0-64"
MOVE = f"aws s3 mv s3://bucket/{FIRST}.gz s3://bucket/{FIRST}"
CORRECT = "correct the key of the scale in the info, or move all: "


def rename(directory: Path, change: Callable[[str], str]) -> None:
    """Rename every object of scale 0; a new name may lead into another directory."""
    for file in [path for path in (directory / "s0").rglob("*") if path.is_file()]:
        target = directory / "s0" / change(file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)


async def check_s3(tmp_path: Path, *options: str, more: str = "") -> Said:
    async with serve(ReplayedS3(tmp_path / "s3")) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket", more), *options)
    return said._replace(out=said.out.replace(server.url, "URL"))


@BOTH
@pytest.mark.parametrize(
    ("spec", "change", "why", "fix"),
    [
        (
            VolumeSpec(),
            lambda name: f"{name}.gz",
            f"are stored with .gz appended to their names: {FIRST}.gz is stored, {FIRST} is read",
            f"store each without .gz, but with its encoding: {MOVE} --content-encoding gzip --endpoint",
        ),
        (
            VolumeSpec(),
            lambda name: f"{name}.raw",
            f"are stored with .raw appended to their names: {FIRST}.raw is stored, {FIRST} is read",
            f"move each: aws s3 mv s3://bucket/{FIRST}.raw s3://bucket/{FIRST} --endpoint-url URL",
        ),
        (
            SHARDED,
            lambda name: f"{name}.gz",
            "with .gz appended to their names: em/s0/00.shard.gz is stored, em/s0/00.shard is read",
            "decompress each shard, and store it without .gz",
        ),
        (
            SHARDED,
            lambda name: name.upper(),
            "are stored under names in another case: em/s0/00.SHARD is stored, em/s0/00.shard is read",
            "move each: aws s3 mv s3://bucket/em/s0/00.SHARD",
        ),
        (
            SHARDED,
            lambda name: f"0{name}",
            "with another number of digits: em/s0/000.shard is stored, em/s0/00.shard is read",
            "move each: ",
        ),
        (
            VolumeSpec(),
            lambda name: f"s0/{name}",
            f"are stored in a directory below: em/s0/s0/0-64_0-64_0-64 is stored, {FIRST} is read",
            "move each: aws s3 mv s3://bucket/em/s0/s0/0-64_0-64_0-64 ",
        ),
        (
            VolumeSpec(),
            lambda name: name.replace("_", "/"),
            f"are stored in a nested layout: em/s0/0-64/0-64/0-64 is stored, {FIRST} is read",
            "move each: ",
        ),
        (
            VolumeSpec(),
            lambda name: f"../S0/{name}",
            f"are stored in another directory: em/S0/0-64_0-64_0-64 is stored, {FIRST} is read",
            f"{CORRECT}aws s3 mv --recursive s3://bucket/em/S0 s3://bucket/em/s0 --endpoint-url URL",
        ),
        (
            VolumeSpec(),
            lambda name: f"../em/s0/{name}",
            f"are stored in another directory: em/em/s0/0-64_0-64_0-64 is stored, {FIRST} is read",
            f"{CORRECT}aws s3 mv --recursive s3://bucket/em/em/s0",
        ),
        (
            VolumeSpec(),
            lambda name: f"../{name}",
            f"are stored in another directory: em/0-64_0-64_0-64 is stored, {FIRST} is read",
            f"move each: aws s3 mv s3://bucket/em/0-64_0-64_0-64 s3://bucket/{FIRST} --endpoint-url URL",
        ),
    ],
    ids=[
        "gz",
        "raw",
        "shard-gz",
        "upper",
        "digits",
        "deeper",
        "nested",
        "case-of-key",
        "volume-deeper",
        "flat",
    ],
)
async def test_chunks_under_another_name_are_found(
    tmp_path: Path,
    spec: VolumeSpec,
    change: Callable[[str], str],
    why: str,
    fix: str,
    options: tuple[str, ...],
) -> None:
    write_volume(tmp_path / "s3" / "bucket" / "em", spec)
    rename(tmp_path / "s3" / "bucket" / "em", change)
    said = await check_s3(tmp_path, *options)
    assert said.code == 1, said
    [line] = [line for line in said.out.splitlines() if line.startswith("  problem")]
    assert line.startswith("  problem scale 0: none of ")
    assert line.endswith(why)
    assert f"fix: {fix}" in said.out
    assert "upload" not in said.out


@BOTH
async def test_the_other_layout_is_recognised(tmp_path: Path, options: tuple[str, ...]) -> None:
    write_volume(tmp_path / "s3" / "bucket" / "em", VolumeSpec())
    write_volume(tmp_path / "other", SHARDED)
    shutil.copy(tmp_path / "other" / "info", tmp_path / "s3" / "bucket" / "em" / "info")
    said = await check_s3(tmp_path, *options)
    assert said.code == 1
    assert f"holds chunks in objects of their own, such as {FIRST}, but the info says otherwise" in said.out
    assert "fix: upload the info that describes these objects (sharding): aws s3 cp info " in said.out


async def test_some_chunks_under_another_name_are_a_warning(tmp_path: Path) -> None:
    directory = tmp_path / "s3" / "bucket" / "em"
    write_volume(directory, VolumeSpec())
    rename(directory, lambda name: f"{name}.gz" if name.startswith("0-") else name)
    said = await check_s3(tmp_path, "--deep")
    assert said.code == 0
    assert "warning scale 0: 12 of 18 chunks" in said.out
    assert f"its chunks are stored with .gz appended to their names: {FIRST}.gz is stored" in said.out
    assert "fix: store each without .gz" in said.out
    assert "upload" not in said.out


async def test_copies_beside_a_complete_scale_are_not_mentioned(tmp_path: Path) -> None:
    directory = tmp_path / "s3" / "bucket" / "em"
    write_volume(directory, VolumeSpec())
    for chunk in sorted((directory / "s0").iterdir()):
        (directory / "s0" / f"{chunk.name}.gz").write_bytes(gzip.compress(chunk.read_bytes()))
    said = await check_s3(tmp_path, "--deep")
    assert "scale 0: 18 of 18 chunks" in said.out
    assert ".gz" not in said.out


async def test_a_sparse_scale_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """All nine samples are on the diagonal; the chunks that exist are not."""
    spec = VolumeSpec(size=(600, 600, 64), chunk_size=(64, 64, 64))
    write_volume(tmp_path / "s3" / "bucket" / "em", spec)
    for number in range(10):
        stop = min(600, number * 64 + 64)
        part = f"{number * 64}-{stop}"
        (tmp_path / "s3" / "bucket" / "em" / "s0" / f"{part}_{part}_0-64").unlink(missing_ok=True)
    said = await check_s3(tmp_path)
    assert (said.code, "empty" in said.out) == (0, False)
    assert "scale 0: none of 9 sampled chunks of 64 x 64 x 64 is stored, but others are" in said.out


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleServer]:
    with run_google_server() as server:
        yield server


async def test_google_buckets_and_directories_are_explained_too(tmp_path: Path, google: GoogleServer) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    google.make_bucket("names")
    for file in (tmp_path / "em").rglob("*"):
        if file.is_file():
            suffix = "" if file.name == "info" else ".gz"
            google.put("names", f"em/{file.relative_to(tmp_path / 'em')}{suffix}", file.read_bytes())
    text = '[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "gs://names/em"\nanonymous = true\n'
    said = await check(tmp_path, f'{text}endpoint = "{google.url}"\n')
    assert f"{FIRST}.gz is stored, {FIRST} is read" in said.out
    assert f"gcloud storage mv gs://names/{FIRST}.gz gs://names/{FIRST} --content-encoding=gzip" in said.out
    rename(tmp_path / "em", lambda name: f"../S0/{name}")
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}))
    assert "its chunks are stored in another directory: em/S0/" in said.out
    assert (
        f"fix: correct the key of the scale in the info, or move all: mv {tmp_path}/em/S0 {tmp_path}/em/s0"
        in said.out
    )


async def test_a_compressed_shard_of_a_directory_is_listed_but_not_read(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", SHARDED)
    rename(tmp_path / "em", lambda name: f"{name}.gz")
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}), "--deep")
    assert said.code == 1
    assert re.search(r"s0/\w\w\.shard is listed, but reads as absent", said.out)
    assert "fix: if the file is compressed, decompress it" in said.out


@pytest.mark.parametrize(
    ("ref", "stored", "why", "fix"),
    [
        ("em", "em/em", "there is one below it: s3://bucket/em/em/info", 'ref = "s3://bucket/em/em"'),
        ("em/s0", "em", "there is one above it: s3://bucket/em/info", 'ref = "s3://bucket/em"'),
        (
            "em",
            "EM",
            "there is one in a directory whose name is in another case: s3://bucket/EM/info",
            'ref = "s3://bucket/EM"',
        ),
        ("", "em", "there is one below it: s3://bucket/em/info", 'ref = "s3://bucket/em"'),
        ("gone", "em", "the listing shows nothing there", "to see what is there: aws s3 ls"),
    ],
)
async def test_an_info_in_another_place_is_found(
    tmp_path: Path, ref: str, stored: str, why: str, fix: str
) -> None:
    write_volume(tmp_path / "s3" / "bucket" / stored, VolumeSpec())
    async with serve(ReplayedS3(tmp_path / "s3")) as server:
        text = s3_text(server.url, "bucket").replace("s3://bucket/em", f"s3://bucket/{ref}")
        said = await check(tmp_path, text)
    assert said.code == 1
    assert f"info does not exist: is the ref right, is the volume complete?; {why}\n" in said.out
    assert fix in said.out


@pytest.mark.parametrize("name", ["info.gz", "Info", "info.json"])
async def test_an_info_under_another_name_is_found(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "s3" / "bucket" / "em"
    write_volume(directory, VolumeSpec())
    (directory / "info").rename(directory / name)
    said = await check_s3(tmp_path)
    assert f"there is s3://bucket/em/{name}, but only the name 'info' is read" in said.out


async def test_other_objects_in_place_of_a_volume_are_named(tmp_path: Path) -> None:
    (tmp_path / "s3" / "bucket" / "em").mkdir(parents=True)
    (tmp_path / "s3" / "bucket" / "em" / "readme.txt").write_text("{}")
    said = await check_s3(tmp_path)
    assert "the directory holds other objects, such as readme.txt\n" in said.out


async def test_array_in_place_of_a_volume_is_named_with_its_engine(tmp_path: Path) -> None:
    (tmp_path / "s3" / "bucket" / "em").mkdir(parents=True)
    (tmp_path / "s3" / "bucket" / "em" / ".zarray").write_text('{"zarr_format": 2}')
    said = await check_s3(tmp_path)
    assert "em/info does not exist" in said.out
    assert 'there is a zarr v2 array: write engine = "zarr"\n' in said.out
    assert 'fix: [store.em] engine = "zarr"\n' in said.out


async def test_a_web_server_has_no_listing_but_the_directory_above_is_looked_at(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    async with serve(serve_directory(tmp_path)) as server:
        said = await check(tmp_path, config_text({"em": f"{server.url}/em/s0"}))
    assert f"there is one above it: {server.url}/em/info" in said.out
    assert f'fix: [store.em] ref = "{server.url}/em"\n' in said.out


def reorder(directory: Path, order: list[int]) -> None:
    info = json.loads((directory / "info").read_text())
    info["scales"] = [info["scales"][number] for number in order]
    (directory / "info").write_text(json.dumps(info))


@pytest.mark.parametrize("order", [[2, 1, 0], [1, 0, 2], [0, 2, 1]])
async def test_scales_in_disorder_are_to_be_listed_and_not_downsampled(
    tmp_path: Path, order: list[int]
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=3))
    reorder(tmp_path / "em", order)
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}))
    assert said.code == 0
    assert said.out.count("warning") == 1
    assert "warning the scales are not listed from fine to coarse: scale " in said.out
    assert f"fix: list the finest scale first in the info: cp info {tmp_path}/em/info\n" in said.out
    assert "igneous" not in said.out


def clear(directory: Path, level: int) -> None:
    for chunk in (directory / f"s{level}").iterdir():
        chunk.unlink()


@BOTH
async def test_an_empty_placeholder_is_reported_with_the_key_that_leaves_it_out(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=3))
    clear(tmp_path / "em", 0)
    text = config_text({"em": tmp_path / "em"})
    said = await check(tmp_path, text, *options)
    assert said.code == (1 if options else 0)
    assert "scale 0: none of " in said.out
    assert "it is served as black, while other scales have chunks\n" in said.out
    assert "; if it is a placeholder: [store.em] skip_scales = [0]\n" in said.out

    said = await check(tmp_path, f"{text}skip_scales = [0]\n", *options)
    assert said.code == 0
    assert "ok      scale 0 is left out by skip_scales\n" in said.out
    assert "-> em (uint8blk)" in said.out
    assert "-> em_1 (uint8blk)" in said.out
    assert "warning" not in said.out


async def test_several_placeholders_are_left_out_together(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=3))
    for level in (0, 1):
        clear(tmp_path / "em", level)
    text = config_text({"em": tmp_path / "em"})
    said = await check(tmp_path, text)
    assert said.out.count("; if it is a placeholder: [store.em] skip_scales = [0, 1]\n") == 2
    said = await check(tmp_path, f"{text}skip_scales = [0]\n")
    assert said.out.count("; if it is a placeholder: [store.em] skip_scales = [0, 1]\n") == 1
    clear(tmp_path / "em", 2)
    said = await check(tmp_path, text)
    assert "skip_scales" not in said.out  # nothing would be left


async def test_a_sparse_scale_is_not_to_be_left_out_with_an_empty_one(tmp_path: Path) -> None:
    """Scale 1 has chunks, but none at the nine places that are looked at."""
    directory = tmp_path / "s3" / "bucket" / "em"
    write_volume(directory, VolumeSpec(size=(600, 600, 128), scale_levels=3))
    clear(directory, 0)
    for chunk in (directory / "s1").iterdir():
        if chunk.name != "256-300_0-64_0-64":
            chunk.unlink()
    said = await check_s3(tmp_path)
    assert said.out.count("skip_scales = [0]\n") == said.out.count("skip_scales") == 1
    assert re.search(
        r"ok +scale 1: none of \d sampled chunks of \S+ x \S+ x \S+ is stored, but others are", said.out
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("[2]", "[store.em] skip_scales: there is no scale 2; the volume has scales 0 to 1"),
        ("[0, 1]", "[store.em] skip_scales: all 2 scales are left out; leave at least one in"),
    ],
)
async def test_skip_scales_that_does_not_fit_the_volume_is_one_line(
    tmp_path: Path, value: str, why: str
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=2))
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}) + f"skip_scales = {value}\n")
    assert said.code == 1
    assert f"problem {why}\n" in said.out
    assert "fix: correct [store.em] of the configuration, or the file or variable named above\n" in said.out
