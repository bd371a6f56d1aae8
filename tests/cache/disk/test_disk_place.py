"""Directories that are ours, that are not, and that cannot hold a cache."""

import fcntl
import os
import stat
from pathlib import Path

import pytest

from dvidpc.cache.disk import disk_place
from dvidpc.cache.disk.disk_place import ForeignError, Place, UnusableError, file_system_of

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /var tmpfs rw 0 0
server:/home /home/lab\\040data nfs4 rw,vers=4.2 0 0
/dev/vdb /home/lab\\040data/disk xfs rw 0 0
odd line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/cache", "ext4"),
        ("/var/cache", "tmpfs"),
        ("/variable", "ext4"),
        ("/home/lab data/x", "nfs4"),
        ("/home/lab data/disk/x", "xfs"),
    ],
)
def test_the_innermost_mount_decides(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


def test_without_mounts_nothing_is_known() -> None:
    assert file_system_of(Path("/cache"), "") == ""


def claimed(root: Path) -> Place:
    place = Place(root)
    place.make_root()
    with place.locked():
        place.claim()
    return place


def test_files_are_ours_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        place = claimed(tmp_path / "disk")
    finally:
        os.umask(old)
    assert stat.S_IMODE(place.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.file.stat().st_mode) == 0o600
    assert stat.S_IMODE((place.root / "dvidpc-cache.lock").stat().st_mode) == 0o600
    assert (
        (place.directory / "CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, mounts=f"server:/x {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(UnusableError, match=f"{tmp_path} is on a network file system .nfs4."):
        place.make_root()


def test_only_the_directory_itself_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Place(tmp_path / "no/parent").make_root()


def test_what_others_made_is_not_taken(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.directory.mkdir()
    (place.directory / "thesis.txt").write_text("mine")
    with pytest.raises(ForeignError, match="was not made by dvidpc"):
        place.claim()
    moved = place.move_foreign()
    place.claim()
    place.drop_set_aside()
    assert (moved / "thesis.txt").read_text() == "mine"
    assert moved.name == "dvidpc-cache.foreign-1"
    assert place.set_aside_bytes() == 0


def test_a_file_in_its_place_is_foreign(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.directory.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ForeignError):
        place.claim()
    assert place.move_foreign().is_symlink()


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    Place(tmp_path).directory.mkdir()
    assert claimed(tmp_path).is_ours()


def test_one_cache_is_kept_aside_and_other_peoples_files_in_it_for_ever(tmp_path: Path) -> None:
    place = claimed(tmp_path)
    place.file.write_bytes(bytes(1000))
    (place.directory / "thesis.txt").write_text("mine")
    first = place.move_aside()
    place.claim()
    place.file.write_bytes(bytes(2000))
    second = place.move_aside()
    assert [path.name for path in first.iterdir()] == ["thesis.txt"]
    assert 2000 < place.set_aside_bytes() < 2500
    assert second.is_dir()
    place.drop_set_aside()
    assert not second.exists()


def test_waiting_for_the_lock_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_place, "LOCK_PATIENCE_S", 0.05)
    with (tmp_path / "dvidpc-cache.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with (
            pytest.raises(UnusableError, match=r"another process keeps .*dvidpc-cache\.lock locked"),
            Place(tmp_path).locked(),
        ):
            pass


def test_a_directory_without_its_tag_is_ours_if_the_database_says_so(tmp_path: Path) -> None:
    place = claimed(tmp_path)
    tag = place.directory / "CACHEDIR.TAG"
    tag.unlink()
    assert not place.is_ours()
    header = bytearray(b"SQLite format 3\0".ljust(100))
    for application, is_ours in ((0x64767063, True), (0, False)):
        header[68:72] = application.to_bytes(4, "big")
        place.file.write_bytes(header)
        assert place.is_ours() == is_ours
    header[68:72] = (0x64767063).to_bytes(4, "big")
    place.file.write_bytes(header)
    place.claim()
    assert tag.is_file()
