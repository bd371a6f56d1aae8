"""An index is written to a directory, to S3 and to Google alike: whole objects or none."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.errors import StoreError
from dvidpc.index.build.build_files import BuildFiles, open_files
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref
from dvidpc.types import Point
from tests.building import build, index_of_voxels, job_of, write_config
from tests.label_chunks import draw_cells
from tests.label_volumes import LabelScale, write_labels
from tests.servers import S3Server, run_google_server, run_s3_server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with run_s3_server() as server:
        server.make_bucket("bucket")
        yield server


@pytest.fixture(params=["directory", "s3", "google"])
def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BuildFiles]:
    match request.param:
        case "directory":
            yield open_files(BucketAccess(parse_ref(f"{tmp_path}/some/where/")))
        case "s3":
            sign_in(monkeypatch)
            yield open_files(access_of_bucket(request.getfixturevalue("s3"), tmp_path.name))
        case _:
            with run_google_server() as google:
                google.make_bucket("bucket")
                place = parse_ref("gs://bucket/index")
                yield open_files(BucketAccess(place, endpoint=google.url, anonymous=True))


def sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def access_of_bucket(server: S3Server, prefix: str) -> BucketAccess:
    return BucketAccess(parse_ref(f"s3://bucket/{prefix}"), endpoint=server.url, region="us-east-1")


def test_objects_are_written_read_listed_and_removed(files: BuildFiles) -> None:
    assert files.read("a/b") is None
    assert files.sizes("a") == {}
    files.write("a/b", b"old")
    files.write("a/b", b"content")
    files.write("a/deeper/c", b"")
    files.write("info", b"{}")
    assert files.read("a/b") == b"content"
    with files.open("a/b") as opened:
        opened.seek(3)
        assert opened.read(2) == b"te"
    assert files.sizes("a") == {"b": 7}
    assert files.sizes("") == {"info": 2}
    files.remove("a/b")
    files.remove("a/b")
    assert files.sizes("a") == {}
    files.sweep("a")
    files.clear()
    assert files.read("info") is None
    with pytest.raises(StoreError, match="info"):
        files.open("info").read()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    files = open_files(BucketAccess(parse_ref(f"{tmp_path}/file/")))
    with pytest.raises(StoreError, match="file"):
        files.write("a", b"")


def test_a_bucket_that_does_not_exist_is_named(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch)
    nowhere = BucketAccess(parse_ref("s3://nowhere/index"), endpoint=s3.url, region="us-east-1")
    with pytest.raises(StoreError, match="s3://nowhere/index/info"):
        open_files(nowhere).write("info", b"")


def test_an_index_in_s3(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the index and the scratch are in a bucket; the volume is in a directory."""
    sign_in(monkeypatch)
    labels = draw_cells(60, Point(130, 100, 70))
    write_labels(tmp_path / "volume", LabelScale(labels))
    job, sources = job_of(write_config(tmp_path, f"{tmp_path}/volume"), tmp_path / "unused")
    job = replace(job, output=access_of_bucket(s3, "index"), scratch=access_of_bucket(s3, "scratch"))
    build(job, sources)
    files = open_files(job.output)
    expected = index_of_voxels(job, labels)
    assert {key: files.read(key) for key in expected} == expected
    assert set(open_files(job.scratch).sizes("tiles"))
