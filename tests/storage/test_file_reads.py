"""One file is read as of one moment, and its etag says which."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.storage.base import Blob
from dvidpc.storage.file_reads import read_checked, read_file, read_file_range, version_of
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

NOW = time.time()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "0.shard"
    path.write_bytes(b"0123456789")
    return path


def test_etag_is_strong_and_the_same_for_every_read(file: Path) -> None:
    whole = read_file("0.shard", str(file), max_size=10)
    part = read_file_range("0.shard", str(file), ByteRange(2, 4), None)
    version = version_of(file.stat(), NOW)
    assert (whole, part) == (Blob(b"0123456789", version), Blob(b"23", version))
    etag = version.etag or ""
    assert etag.startswith('"')
    assert etag.endswith('"')


def test_etag_differs_after_a_replacement_of_the_same_size_and_time(file: Path) -> None:
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(b"9876543210")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(ObjectChangedError, match=r"0\.shard was replaced"):
        read_file_range("0.shard", str(file), ByteRange(0, 4), version_of(before, NOW))


def test_etag_differs_after_a_write_in_place(file: Path) -> None:
    before = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"9")
    os.utime(file, ns=(0, before.st_mtime_ns + 1))
    with pytest.raises(ObjectChangedError, match=r"0\.shard was replaced"):
        read_file_range("0.shard", str(file), ByteRange(0, 4), version_of(before, NOW))


@pytest.mark.parametrize(
    ("version", "expected"), [(None, StoreError), (Version('"known"'), ObjectChangedError)]
)
def test_write_during_the_read_is_noticed(
    file: Path, version: Version | None, expected: type[StoreError]
) -> None:
    def write(found: os.stat_result) -> ByteRange:
        with file.open("ab") as opened:
            opened.write(b"more")
        return ByteRange(0, found.st_size)

    with pytest.raises(StoreError, match=r"0\.shard changed while it was read") as caught:
        read_checked("0.shard", str(file), write, version=version)
    assert type(caught.value) is expected


def test_truncation_during_the_read_is_a_failure(file: Path) -> None:
    def cut(found: os.stat_result) -> ByteRange:
        os.truncate(file, 4)
        return ByteRange(0, found.st_size)

    with pytest.raises(StoreError, match=r"0\.shard cannot be read: 4 bytes arrived instead of 10"):
        read_checked("0.shard", str(file), cut, version=None)


def test_file_that_is_renamed_away_during_the_read_is_still_whole(file: Path) -> None:
    def move(found: os.stat_result) -> ByteRange:
        file.rename(file.with_name("elsewhere"))
        return ByteRange(0, found.st_size)

    blob = read_checked("0.shard", str(file), move, version=None)
    assert blob is not None
    assert blob.data == b"0123456789"


@pytest.mark.parametrize(("start", "stop"), [(5, 11), (10, 12), (1000, 2000)])
def test_short_file_is_named_with_its_size(file: Path, start: int, stop: int) -> None:
    with pytest.raises(FormatError, match=rf"0\.shard ends at byte 10, before its bytes {start}-{stop} do"):
        read_file_range("0.shard", str(file), ByteRange(start, stop), None)


def test_no_descriptor_stays_open(file: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_file("0.shard", str(file), max_size=10)
    for max_size in (0, 9):
        with pytest.raises(FormatError):
            read_file("0.shard", str(file), max_size=max_size)
    assert read_file("folder", str(file.parent), max_size=1) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_new_inode_number_of_an_old_file_is_no_replacement(file: Path) -> None:
    found = version_of(file.stat(), NOW)
    old = Version('"1"', found.size, found.modified, is_settled=True)
    assert read_file_range("0.shard", str(file), ByteRange(0, 4), old) is not None
    for version in (replace(old, size=9), replace(old, modified="0-0"), replace(old, is_settled=False)):
        with pytest.raises(ObjectChangedError):
            read_file_range("0.shard", str(file), ByteRange(0, 4), version)


def test_file_is_settled_once_it_is_old(file: Path) -> None:
    found = file.stat()
    assert not version_of(found, found.st_ctime + 59).is_settled
    assert version_of(found, found.st_ctime + 61).is_settled
    os.utime(file, (0, 0))
    assert not version_of(file.stat(), NOW).is_settled
