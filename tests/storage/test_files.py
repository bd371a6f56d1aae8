"""Directories do what every kind of store must; and odd files neither hang a read nor look missing."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from dvidpc.errors import FormatError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.files import DirectoryStore
from dvidpc.storage.opening import SUFFIXES, open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import ByteRange
from tests.storage.contract import Bucket, StoreContract


class TestDirectory(StoreContract):
    @pytest.fixture
    def bucket(self, tmp_path: Path) -> Bucket:
        directory = tmp_path / "volume"
        directory.mkdir()

        def put(key: str, data: bytes, encoding: str | None) -> None:
            suffix = {meaning: suffix for suffix, meaning in SUFFIXES.items()}.get(encoding or "", "")
            file = directory / (key + suffix)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)

        return Bucket(BucketAccess(parse_ref(f"file://{directory}")), put, identity=f"file://{directory}")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> ObjectStore:
    return await open_store(BucketAccess(parse_ref(str(tmp_path))), UpstreamLimits(attempts=1), environ={})


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Give up root's right to read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_absent_directory_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"absent is not a directory"):
        await open_store(BucketAccess(parse_ref(f"{tmp_path}/absent")), UpstreamLimits(), environ={})
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file is not a directory"):
        await open_store(BucketAccess(parse_ref(f"{tmp_path}/file")), UpstreamLimits(), environ={})


async def test_directory_in_place_of_a_file_is_missing(tmp_path: Path, store: ObjectStore) -> None:
    (tmp_path / "folder").mkdir()
    assert await store.get("folder", max_size=100) is None
    assert await store.get_range("folder", ByteRange(0, 1)) is None


async def test_name_below_a_file_is_missing(tmp_path: Path, store: ObjectStore) -> None:
    (tmp_path / "info").write_bytes(b"{}")
    assert await store.get("info/0", max_size=100) is None


async def test_plain_file_is_preferred_to_a_compressed_one(tmp_path: Path, store: ObjectStore) -> None:
    (tmp_path / "info").write_bytes(b"{}")
    (tmp_path / "info.gz").write_bytes(b"not gzip")
    blob = await store.get("info", max_size=100)
    assert blob is not None
    assert blob.data == b"{}"


async def test_link_loop_is_a_failure(tmp_path: Path, store: ObjectStore) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match="loop cannot be read: Too many levels of symbolic links"):
        await store.get("loop", max_size=100)


@pytest.mark.parametrize("key", ["link", "link/below"])
async def test_link_to_nothing_is_not_known_to_be_missing(
    tmp_path: Path, store: ObjectStore, key: str
) -> None:
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(StoreError, match="link' is a link to nothing; is the disk mounted"):
        await store.get(key, max_size=100)
    with pytest.raises(StoreError, match="link' is a link to nothing"):
        await store.get_range(key, ByteRange(0, 1))


@pytest.mark.parametrize("key", ["a\0b", "\ud800", "x" * 256, "/".join(["x" * 200] * 30)])
async def test_impossible_name_is_a_format_error(store: ObjectStore, key: str) -> None:
    with pytest.raises(FormatError, match="not a possible file name"):
        await store.get(key, max_size=100)
    with pytest.raises(FormatError, match="not a possible file name"):
        await store.get_range(key, ByteRange(0, 1))


async def test_special_files_are_refused_without_waiting(tmp_path: Path, store: ObjectStore) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for name in ("fifo", "device", "socket"):
            with pytest.raises(FormatError, match=f"{name} is not a regular file"):
                await store.get_range(name, ByteRange(0, 1))
            with pytest.raises(FormatError, match=f"{name} is not a regular file"):
                await store.get(name, max_size=100)


async def test_forbidden_file_is_a_refusal(tmp_path: Path, store: ObjectStore) -> None:
    (tmp_path / "secret").write_bytes(b"{}")
    (tmp_path / "secret").chmod(0)
    with unprivileged(), pytest.raises(StoreRefusedError, match="no permission to read it") as caught:
        await store.get("secret", max_size=100)
    assert caught.value.status == 403


async def test_read_that_takes_too_long_is_a_timeout(tmp_path: Path) -> None:
    (tmp_path / "info").write_bytes(b"{}")
    store = DirectoryStore(str(tmp_path), url="file://here", timeout_s=0, suffixes={})
    with pytest.raises(StoreTimeoutError, match="file://here/info: no answer within 0 s"):
        await store.get("info", max_size=100)
    await store.close()
