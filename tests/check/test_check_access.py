"""`dvidpc check` reaches and lists a store as `dvidpc serve` does, whatever else lies there."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from tests.check.test_check_buckets import KEYS, check, s3_text
from tests.s3_replay import ReplayedS3, is_listing
from tests.servers import GoogleServer, S3Server, run_google_server, run_s3_server, serve
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume

ODD = ("s0//x", "s0/../y", "s0/a\tb")
"""Names that no key can have."""
GOOGLE = '[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "gs://odd/em"\n'


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleServer]:
    with run_google_server() as server:
        yield server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with run_s3_server() as server:
        yield server


def objects_of(directory: Path) -> Mapping[str, bytes]:
    files = [file for file in directory.rglob("*") if file.is_file()]
    objects = {str(file.relative_to(directory)): file.read_bytes() for file in files}
    return objects | dict.fromkeys([*ODD, "s0/provenance"], b"x")


@pytest.mark.parametrize("scheme", ["", "http://"])
async def test_googles_emulator_is_checked_as_it_is_served(
    tmp_path: Path, google: GoogleServer, scheme: str
) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    google.make_bucket(f"odd{len(scheme)}")
    for name, data in objects_of(tmp_path / "em").items():
        google.put(f"odd{len(scheme)}", f"em/{name}", data)
    text = GOOGLE.replace("//odd", f"//odd{len(scheme)}")
    environ = {
        "STORAGE_EMULATOR_HOST": f"{scheme}{google.url.removeprefix('http://')}",
        "HOME": str(tmp_path),  # without gcloud's credentials
    }
    async with serving(text, tmp_path, environ) as server:
        assert (await server.error("/readyz"))[0] == 200
    said = await check(tmp_path, text, "--deep", environ=environ)
    assert (said.code, said.err) == (0, "")
    assert "read as anybody" in said.out
    assert "scale 0: 18 of 18 chunks" in said.out
    assert "scale 0: not counted: objects with names that are never read (3), such as gs://odd" in said.out


@pytest.mark.parametrize("spec", [VolumeSpec(), VolumeSpec(sharding=sharding())], ids=["chunks", "shards"])
async def test_odd_names_in_a_bucket_are_skipped_and_counted(
    tmp_path: Path, s3: S3Server, spec: VolumeSpec
) -> None:
    write_volume(tmp_path / "em", spec)
    bucket = "odd-shards" if spec.sharding else "odd-chunks"
    s3.make_bucket(bucket)
    for name, data in objects_of(tmp_path / "em").items():
        s3.put(bucket, f"em/{name}", data)
    said = await check(tmp_path, s3_text(s3.url, bucket), "--deep")
    assert said.code == 0, said
    assert "scale 0: 18 of 18 chunks" in said.out
    assert (
        f"not counted: objects with names that are never read (3), such as s3://{bucket}/em/s0/" in said.out
    )
    assert "\t" not in said.out


async def test_odd_names_and_links_in_a_directory_are_skipped_and_counted(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    scale = tmp_path / "em" / "s0"
    (scale / "loop").symlink_to(scale)
    (scale / "self").symlink_to("self")
    (scale / "nowhere").symlink_to("gone")
    (scale / "a\tb").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(scale) + b"/not-utf-8-\xff")).write_bytes(b"x")
    os.mkfifo(scale / "fifo")
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}), "--deep")
    assert said.code == 0, said
    assert "scale 0: 18 of 18 chunks" in said.out
    assert "not counted: objects with names that are never read (1)" in said.out
    assert said.err.endswith("/em/s0: 3 entries were not listed: no key can name them\n")


@pytest.mark.parametrize("listing", ["<ListBucketResult><Key>\x01", "<html></html>", ""])
async def test_a_scale_is_counted_by_reading_where_the_listing_cannot_be_understood(
    tmp_path: Path, listing: str
) -> None:
    """Some services write a control character of a name as it is, which no XML may hold."""

    def answer(request: web.Request) -> web.Response | None:
        return web.Response(text=listing) if is_listing(request) else None

    write_volume(tmp_path / "s3" / "bucket" / "em", VolumeSpec())
    async with serve(ReplayedS3(tmp_path / "s3", refuse=answer)) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket"), "--deep", environ=KEYS)
    assert said.code == 0, said
    assert "scale 0: 18 of 18 chunks" in said.out
