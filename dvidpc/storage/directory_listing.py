"""Lists files below a directory, page by page, each page in a thread."""

import asyncio
import errno
import logging
import os
import stat
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dvidpc.errors import StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import LINK_TO_NOTHING, Listed
from dvidpc.storage.file_reads import find_dangling_link
from dvidpc.storage.listing import PAGE_SIZE, PAGE_TIMEOUT_S
from dvidpc.storage.object_checks import name_object

log = logging.getLogger(__name__)

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
"""The file was removed after its directory was read, or is a link to nothing."""
_UNUSABLE = frozenset({errno.ELOOP, errno.ENAMETOOLONG})


class DirectoryLister:
    """A `Lister` over a directory. It follows symbolic links, but not in circles."""

    def __init__(self, directory: str, *, url: str, suffixes: Mapping[str, str]) -> None:
        """List files below *directory*.

        Args:
            directory: An absolute path.
            url: How messages name the directory.
            suffixes: File name suffixes that stand for an encoding; listed names lack them.
        """
        self._directory = directory.rstrip("/")
        self._url = url
        self._suffixes = suffixes

    async def list_below(self, directory: str) -> AsyncGenerator[list[Listed], None]:
        """As `Lister.list_below`. Names that no key can have are skipped, and counted in one warning."""
        name = name_object(self._url, directory)
        walk = _Walk(f"{self._directory}/{directory}".rstrip("/") or "/")
        files = walk.files()
        try:
            while page := await self._next_page(name, files):
                yield page
        finally:
            with suppress(ValueError):  # a thread that is past its timeout still reads
                files.close()
        if walk.skipped:
            log.warning("%s: %d entries were not listed: no key can name them", name, walk.skipped)

    async def close(self) -> None:
        """Do nothing: `list_below` closes what it opens."""

    async def _next_page(self, name: str, files: Iterator[Listed]) -> list[Listed]:
        """Return the next page; empty at the end."""
        try:
            async with asyncio.timeout(PAGE_TIMEOUT_S):
                page = await asyncio.to_thread(lambda: list(islice(files, PAGE_SIZE)))
        except TimeoutError as error:
            raise StoreTimeoutError(
                f"{name} cannot be listed: no page was read within {PAGE_TIMEOUT_S:g} s"
            ) from error
        except PermissionError as error:
            raise StoreRefusedError(
                f"{name} cannot be listed: this user has no permission to list it", 403
            ) from error
        except OSError as error:
            raise StoreError(f"{name} cannot be listed: {error.strerror}") from error
        return [Listed(self._without_suffix(entry.name), entry.size) for entry in page]

    def _without_suffix(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        return stem if f"{dot}{suffix}" in self._suffixes else name


@dataclass(frozen=True, slots=True, eq=False)
class _Folder:
    """A directory to be read."""

    path: str
    name: str
    """Relative to the listed directory, with a `/` at the end; empty for that directory itself."""
    file_id: tuple[int, int]
    """Device and inode."""
    parent: "_Folder | None"

    def leads_back_to(self, file_id: tuple[int, int]) -> bool:
        """Return whether this directory or one above it is *file_id*."""
        folder: _Folder | None = self
        while folder is not None:
            if folder.file_id == file_id:
                return True
            folder = folder.parent
        return False


class _Walk:
    """One pass over all files below a directory. Only one thread at a time may use it."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.skipped = 0
        """Entries left out so far: names that are not UTF-8, links that lead in circles, paths too long."""

    def files(self) -> Generator[Listed, None, None]:
        """Return the regular files.

        Raises:
            OSError: A directory cannot be read. One that does not exist holds no files.
        """
        found = self._look_at(self._directory)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return
        waiting = [_Folder(self._directory, "", (found.st_dev, found.st_ino), None)]
        while waiting:
            folder = waiting.pop()
            for entry in self._names_in(folder):
                name = f"{folder.name}{entry}"
                path = f"{folder.path.rstrip('/')}/{entry}"
                found = self._look_at(path)
                if found is None:
                    if find_dangling_link(path) == path:
                        yield Listed(name, LINK_TO_NOTHING)  # it cannot be read, and is not absent
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield Listed(name, found.st_size)
                elif stat.S_ISDIR(found.st_mode):
                    file_id = found.st_dev, found.st_ino
                    if folder.leads_back_to(file_id):
                        self.skipped += 1
                    else:
                        waiting.append(_Folder(path, f"{name}/", file_id, folder))

    def _names_in(self, folder: _Folder) -> Iterator[str]:
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    if _is_utf8(entry.name):
                        yield entry.name
                    else:
                        self.skipped += 1
        except OSError as error:
            if not self._may_pass(error):
                raise

    def _look_at(self, path: str) -> os.stat_result | None:
        """Return what a path leads to; None if that is nothing, or cannot be named."""
        try:
            return Path(path).stat()
        except OSError as error:
            if self._may_pass(error):
                return None
            raise

    def _may_pass(self, error: OSError) -> bool:
        """Return whether the walk may go on, and count the entry if it should have been listed."""
        self.skipped += error.errno in _UNUSABLE
        return error.errno in _GONE | _UNUSABLE


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # Python keeps other bytes as surrogates
        return False
    return True
