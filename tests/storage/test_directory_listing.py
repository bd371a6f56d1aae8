"""Directories are listed whole, page by page, whatever they hold."""

import os
from pathlib import Path

import pytest

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import LINK_TO_NOTHING, BucketAccess
from dvidpc.storage.directory_listing import DirectoryLister
from dvidpc.storage.listing import PAGE_SIZE
from dvidpc.storage.ref import parse_ref
from tests.storage.listings import OBJECTS, collect, list_all
from tests.storage.test_files import unprivileged


def lister_of(directory: Path) -> DirectoryLister:
    return DirectoryLister(str(directory), url=f"file://{directory}", suffixes={".gz": "gzip"})


async def test_files_below_a_directory_are_listed_and_none_beside(tmp_path: Path) -> None:
    for key, size in OBJECTS.items():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
    access = BucketAccess(parse_ref(f"file://{tmp_path}/em"))
    assert await list_all(access, "s0") == [("a", 1), ("b", 0), ("deep/c", 3)]
    assert len(await list_all(access, "")) == len(OBJECTS)
    assert await list_all(access, "s1") == []
    assert await list_all(access, "info") == []


async def test_many_files_are_listed_in_pages(tmp_path: Path) -> None:
    for number in range(2500):
        (tmp_path / f"{number}.gz").write_bytes(b"12")
    pages = [page async for page in lister_of(tmp_path).list_below("")]
    assert max(map(len, pages)) <= PAGE_SIZE
    assert sorted(entry for page in pages for entry in page) == sorted((str(n), 2) for n in range(2500))


async def test_links_are_followed_but_not_in_circles(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "s0" / "deep").mkdir(parents=True)
    (tmp_path / "s0" / "a").write_bytes(b"1")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b").write_bytes(b"12")
    (tmp_path / "s0" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "s0" / "nothing").symlink_to("absent")
    (tmp_path / "s0" / "deep" / "up").symlink_to(tmp_path / "s0")
    (tmp_path / "s0" / "loop").symlink_to("loop")
    # A link to nothing is listed: what should be there is not absent.
    assert await collect(lister_of(tmp_path), "s0") == [
        ("a", 1),
        ("linked/b", 2),
        ("nothing", LINK_TO_NOTHING),
    ]
    assert caplog.messages == [
        f"file://{tmp_path}/s0: 2 entries were not listed: no key can name them",
    ]


async def test_odd_names_are_skipped_or_listed_but_never_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [" ", "a\nb", "ü", "...", "a b", "%20", ".gz"]
    for name in odd:
        (tmp_path / name).write_bytes(b"1")
    for raw in (b"\xff", b"latin-\xfc"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)).write_bytes(b"1")
    os.mkfifo(tmp_path / "fifo")
    found = [name for name, _ in await collect(lister_of(tmp_path), "")]
    assert found == sorted("" if name == ".gz" else name for name in odd)
    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "2 entries were not listed: no key can name them"
    ]


async def test_path_that_is_too_long_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):  # longer in all than any path may be
        os.mkdir("d" * 200, dir_fd=here)  # Path knows no dir_fd
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert await collect(lister_of(tmp_path), "") == []
    assert "1 entries were not listed" in caplog.text


async def test_forbidden_directory_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "s0").mkdir(mode=0)
    with unprivileged(), pytest.raises(StoreRefusedError, match="no permission to list it") as caught:
        await collect(lister_of(tmp_path), "s0")
    assert caught.value.status == 403


async def test_absent_directory_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="absent is not a directory"):
        await list_all(BucketAccess(parse_ref(f"file://{tmp_path}/absent")), "")


async def test_listing_that_is_abandoned_leaves_nothing_open(tmp_path: Path) -> None:
    for number in range(PAGE_SIZE + 1):
        (tmp_path / str(number)).touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    pages = lister_of(tmp_path).list_below("")
    await anext(pages)
    await pages.aclose()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
