"""A bucket in memory: it keeps every content that its objects ever had, counts reads, and fails on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dvidpc.errors import FormatError, StoreError
from dvidpc.storage.base import Blob
from dvidpc.storage.object_checks import check_version
from dvidpc.storage.versions import SETTLED_AFTER_S, Version
from dvidpc.types import ByteRange


class Written(NamedTuple):
    """A content of an object; *data* is None if there was no object."""

    data: bytes | None
    at: float
    number: int
    gzip: bytes | None = None


class Read(NamedTuple):
    """A read that reached the bucket."""

    key: str
    what: object
    """"whole", a range, or the size of a tail."""
    version: Version | None = None


@dataclass
class MemoryBucket:
    """An `ObjectStore`. What its versions say is chosen by *has_etags* and *has_times*."""

    clock: Callable[[], float]
    identity: str = "memory://bucket"
    has_etags: bool = True
    has_times: bool = True
    oddity: str | None = None
    error: Exception | None = None
    """What reads raise; None: they succeed."""

    def __post_init__(self) -> None:
        self.url = self.identity
        self.history: dict[str, list[Written]] = {}
        self.asked: list[Read] = []
        self.callbacks: list[Callable[[], None]] = []
        self.is_closed = False

    def put(self, key: str, data: bytes | None, gzip: bytes | None = None) -> None:
        """Write an object; None deletes it."""
        history = self.history.setdefault(key, [])
        history.append(Written(data, self.clock(), len(history), gzip))

    def version_of(self, key: str, written: Written) -> Version:
        stored = written.data if written.gzip is None else written.gzip
        return Version(
            f'"{key}-{written.number}"' if self.has_etags else None,
            len(stored or b"") if self.has_etags or self.has_times else None,
            f"{int(written.at)}" if self.has_times else None,
            is_settled=self.has_times and self.clock() - written.at >= SETTLED_AFTER_S,
        )

    def _find(self, key: str, what: object, version: Version | None = None) -> tuple[Written, Version] | None:
        self.asked.append(Read(key, what, version))
        if self.is_closed:
            raise StoreError(f"{key} cannot be read: the store is closed")
        if self.error is not None:
            raise self.error
        history = self.history.get(key)
        if not history or history[-1].data is None:
            return None
        found = self.version_of(key, history[-1])
        check_version(key, known=version or Version(), found=found)
        return history[-1], found

    def on_retracted(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        found = self._find(key, "metadata" if is_metadata else "whole")
        if found is None:
            return None
        written, version = found
        assert written.data is not None
        if len(written.data) > max_size:
            raise FormatError(f"{key} is too large")
        return Blob(written.data, version, written.gzip)

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        found = self._find(key, byte_range, version)
        if found is None:
            return None
        data = found[0].data if found[0].gzip is None else found[0].gzip
        assert data is not None
        if byte_range.stop > len(data):
            raise FormatError(f"{key} ends at {len(data)}")
        return Blob(data[byte_range.start : byte_range.stop], found[1])

    async def get_tail(self, key: str, size: int) -> Blob | None:
        found = self._find(key, size)
        if found is None:
            return None
        data = found[0].data
        assert data is not None
        if size > len(data):
            raise FormatError(f"{key} ends at {len(data)}")
        return Blob(data[-size:], found[1])

    async def close(self) -> None:
        self.is_closed = True
