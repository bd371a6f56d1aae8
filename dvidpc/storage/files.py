"""Reads files below a directory, in threads of its own."""

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from dvidpc.errors import StoreError, StoreTimeoutError
from dvidpc.storage.absence import Absences
from dvidpc.storage.base import Blob
from dvidpc.storage.content_encoding import gzip_of
from dvidpc.storage.file_reads import read_file, read_file_range, read_file_tail
from dvidpc.storage.object_checks import name_object, undo_encoding
from dvidpc.storage.versions import Version
from dvidpc.threads import ThreadPool
from dvidpc.types import ByteRange

_Read = TypeVar("_Read")

_THREADS: Final = 16
"""Reads in progress at a time. A network file system that hangs blocks these threads, and no others."""


class DirectoryStore:
    """An `ObjectStore` over a directory. A read takes one thread for one blocking call."""

    def __init__(self, directory: str, *, url: str, timeout_s: float, suffixes: Mapping[str, str]) -> None:
        """Read files below *directory*.

        Args:
            directory: An absolute path.
            url: How messages name the directory.
            timeout_s: The longest time that one read may take.
            suffixes: File name suffixes to try for a missing file, each with the encoding it stands for.
        """
        self._directory = directory.rstrip("/")
        self._url = url
        self._timeout_s = timeout_s
        self._suffixes = {"": "", **suffixes}
        self._threads = ThreadPool(_THREADS, thread_name_prefix="files")
        self._closed = False
        self._absences = Absences()

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    @property
    def identity(self) -> str:
        """As `ObjectStore.identity`: the directory's path, which replicas are expected to share."""
        return self._url

    @property
    def oddity(self) -> str | None:
        """As `ObjectStore.oddity`: there is none."""
        return None

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """As `ObjectStore.on_retracted`."""
        self._absences.on_retracted(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As `ObjectStore.get`."""
        found = await self._run(name_object(self._url, key), partial(self._read_any, key, max_size))
        if found is None:
            await self._check_absence(key, is_metadata=is_metadata)
            return None
        self._absences.note_read(metadata_key=key if is_metadata else None)
        name, blob, encoding = found
        data = await undo_encoding(name, blob.data, encoding, max_size=max_size)
        return Blob(data, blob.version, gzip_of(blob.data, encoding, data))

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As `ObjectStore.get_range`."""
        name = name_object(self._url, key)
        read = partial(read_file_range, name, self._path(key), byte_range, version)
        return await self._checked(key, await self._run(name, read))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As `ObjectStore.get_tail`."""
        name = name_object(self._url, key)
        return await self._checked(
            key, await self._run(name, partial(read_file_tail, name, self._path(key), size))
        )

    async def close(self) -> None:
        """Release the threads; reads in progress are not waited for."""
        self._closed = True
        self._threads.shutdown(wait=False)

    async def _run(self, name: str, read: Callable[[], _Read]) -> _Read:
        if self._closed:
            raise StoreError(f"{name} cannot be read: the store is closed")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, read)
        except TimeoutError as error:
            raise StoreTimeoutError(f"{name}: no answer within {self._timeout_s:g} s") from error

    async def _checked(self, key: str, blob: Blob | None) -> Blob | None:
        """Return what was read of a file, or None if the file can be believed to be missing."""
        if blob is None:
            await self._check_absence(key)
        else:
            self._absences.note_read()
        return blob

    async def _check_absence(self, key: str, *, is_metadata: bool = False) -> None:
        """Return if the file can be believed to be missing.

        Raises:
            StoreError: So is the volume's metadata, as if a disk were not mounted.
        """
        if is_metadata:
            self._absences.note_lost()
            return
        if await self._absences.believes(self._is_there, by_default=True):
            return
        metadata = name_object(self._url, self._absences.metadata_key or "")
        raise StoreError(
            f"{name_object(self._url, key)} is missing, and so is {metadata}, which was there before; "
            "is the disk mounted?"
        )

    async def _is_there(self, key: str) -> bool:
        paths = [self._path(key + suffix) for suffix in self._suffixes]
        return await self._run(name_object(self._url, key), lambda: any(map(os.path.isfile, paths)))

    def _read_any(self, key: str, max_size: int) -> tuple[str, Blob, str] | None:
        """Return the first file of this name or this name with a suffix: its name, content, encoding."""
        for suffix, encoding in self._suffixes.items():
            name = name_object(self._url, key + suffix)
            blob = read_file(name, self._path(key + suffix), max_size=max_size)
            if blob is not None:
                return name, blob, encoding
        return None

    def _path(self, key: str) -> str:
        return f"{self._directory}/{key}"


async def open_directory(
    path: str, *, url: str, timeout_s: float, suffixes: Mapping[str, str]
) -> DirectoryStore:
    """Open a directory for reading; see `open_store`."""
    await check_directory(path, url=url)
    return DirectoryStore(path, url=url, timeout_s=timeout_s, suffixes=suffixes)


async def check_directory(path: str, *, url: str) -> None:
    """Check that *path* is a directory.

    Raises:
        StoreError: It is not, or this user may not see it.
    """
    if not await asyncio.to_thread(os.path.isdir, path):
        raise StoreError(f"{url} is not a directory that can be read")
