"""Entries whose bytes follow from their name and version, so that every byte on disk can be checked."""

import contextlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvidpc.cache.disk.entries import Entry, Found, encode_version, name_part, start_name
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

STORE = "memory://bucket"
BUDGET = 64 * 2**20
_START = start_name(STORE)


def name_of(number: int) -> bytes:
    """Return the name of the entry *number*."""
    return name_part(_START, "0.shard", ByteRange(number, number + 1))


def data_of(number: int, size: int, generation: int = 0) -> bytes:
    """Return what one version of an entry holds."""
    return random.Random(f"{number} {generation}").randbytes(size)


def entry_of(number: int, size: int, current: float = 0.0, generation: int = 0) -> Entry:
    """Return one version of an entry, to be written."""
    version = Version(f'"{generation}"', size)
    data = data_of(number, size, generation)
    return Entry(
        name_of(number), STORE, version, encode_version(version), data, is_gzip=False, current=current
    )


def is_right(number: int, found: Found) -> bool:
    """Return whether an entry holds what was written in its version."""
    assert found.version.etag is not None
    assert found.version.size is not None
    return found.data == data_of(number, found.version.size, int(found.version.etag.strip('"')))


def below(directory: Path) -> int:
    """Return the bytes of all files below *directory*."""
    total = 0
    for file in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


@contextmanager
def watching(directory: Path, sizes: list[int]) -> Iterator[None]:
    """Measure *directory* all the time."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            sizes.append(below(directory))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
