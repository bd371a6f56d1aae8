"""What a prefetch has done so far, and what it says in the end."""

from dataclasses import dataclass, field
from typing import Final

from dvidpc.log.quantities import describe_count, describe_seconds, describe_size

MAX_NAMED: Final = 5
"""Failed chunks that are named; further ones are only counted."""
ROW_BYTES: Final = 4_400
"""What a chunk takes on disk besides its bytes, on average: half a page of 8 KiB, and its row."""


@dataclass(slots=True)
class Outcome:
    """Counts of chunks, and of bytes as stored. Each chunk that was looked at is one of the first five."""

    fetched: int = 0
    """Read from the bucket, now on disk."""
    there: int = 0
    """On disk already."""
    absent: int = 0
    """Not stored in the volume."""
    oversize: int = 0
    """Read, but too large for the disk cache."""
    failed: int = 0
    """Could not be read."""
    named: list[str] = field(default_factory=list)
    """Why the first `MAX_NAMED` of them could not."""
    fetched_bytes: int = 0
    there_bytes: int = 0
    bucket_bytes: int = 0
    """All that was read from the bucket: chunks, indexes, and what lies between ranges that were joined."""

    @property
    def done(self) -> int:
        """Chunks that were looked at."""
        return self.fetched + self.there + self.absent + self.oversize + self.failed

    @property
    def kept_bytes(self) -> int:
        """What chunks take on disk that are there now, or were when they were looked at."""
        return self.fetched_bytes + self.there_bytes + ROW_BYTES * (self.fetched + self.there)

    def note_stored(self, nbytes: int, *, is_fetched: bool) -> None:
        """Count a chunk that was read."""
        if is_fetched:
            self.fetched += 1
            self.fetched_bytes += nbytes
        else:
            self.there += 1
            self.there_bytes += nbytes

    def note_failed(self, reason: str) -> None:
        """Count a chunk that could not be read."""
        self.failed += 1
        if len(self.named) < MAX_NAMED:
            self.named.append(reason)

    def summary(self, total: int, requests: int, seconds: float) -> str:
        """Return what was done, in one line.

        Args:
            total: All chunks that were to be read.
            requests: Requests to the bucket.
            seconds: How long it took.
        """
        chunks = f"{self.done:,} of {total:,} chunks" if self.done < total else describe_count(total, "chunk")
        return (
            f"{chunks} in {describe_seconds(seconds)}: {self.fetched:,} read from the bucket "
            f"({describe_size(self.bucket_bytes)}, {describe_count(requests, 'request')}), {self.there:,} on "
            f"disk already, {self.absent:,} not stored in the volume, {self.failed:,} failed"
        )
