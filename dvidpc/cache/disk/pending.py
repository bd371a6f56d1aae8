"""What is to be written to the disk cache: collected on the event loop, applied in one go by the writer."""

from dataclasses import dataclass, field
from typing import Final

from dvidpc.cache.disk.entries import Entry, object_of

_OVERHEAD: Final = 1000
"""Bytes counted for an entry beside its value, so that the number of small ones is bounded too."""


@dataclass(slots=True)
class Pending:
    """One batch of changes; entries are written after everything else was done."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    """To be written, by name."""
    nbytes: int = 0
    """Bytes of these entries in memory."""
    confirmed: dict[bytes, float] = field(default_factory=dict)
    """When entries on disk were found to be current, by name."""
    used: set[int] = field(default_factory=set)
    """Ids of entries that were used."""
    damaged: set[bytes] = field(default_factory=set)
    """Names of entries whose checksum differs."""
    forgotten: dict[bytes, float] = field(default_factory=dict)
    """Objects that were replaced, and when that was noticed."""
    distrusted: dict[str, float] = field(default_factory=dict)
    """Stores whose metadata has changed, by identity, and when that was noticed."""

    def __bool__(self) -> bool:
        return bool(
            self.entries or self.confirmed or self.used or self.damaged or self.forgotten or self.distrusted
        )

    def add(self, entry: Entry) -> None:
        """Write *entry* instead of another of the same name, unless that one is newer."""
        other = self.entries.get(entry.name)
        if other is not None and other.current > entry.current:
            return
        self._remove(entry.name)
        self.entries[entry.name] = entry
        self.nbytes += len(entry.data) + _OVERHEAD

    def forget(self, digest: bytes, at: float) -> None:
        """Delete what was known of an object until *at*."""
        self.forgotten[digest] = at
        for name in [name for name, entry in self.entries.items() if entry.current <= at]:
            if object_of(name) == digest:
                self._remove(name)

    def _remove(self, name: bytes) -> None:
        entry = self.entries.pop(name, None)
        if entry is not None:
            self.nbytes -= len(entry.data) + _OVERHEAD
