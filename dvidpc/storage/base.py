"""What every kind of store offers, and how one is named."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from dvidpc.storage.ref import Ref
from dvidpc.types import ByteRange


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of an object, or of a range of it, at one moment."""

    data: bytes
    etag: str | None
    """Which content the object had, as the store names it, quotes included; None if it does not say."""


class ObjectStore(Protocol):
    """Reads objects below one prefix of one bucket. Any task may call it; calls may overlap.

    A key is relative to the prefix, `/`-separated, already normalised: it has no `.`, `..` or empty parts.
    """

    @property
    def url(self) -> str:
        """The bucket and prefix as a person would write them, for messages; never holds a credential."""

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """The whole object, its Content-Encoding undone; None if there is no such object.

        Args:
            key: Which object.
            max_size: The most bytes it may have, before and after the Content-Encoding is undone.

        Raises:
            FormatError: It is larger than *max_size*, or its Content-Encoding cannot be undone.
            StoreError: The store failed; whether the object exists is not known.
        """

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """Exactly *byte_range* of the object as stored; None if there is no such object.

        Args:
            key: Which object.
            byte_range: Which bytes; not empty.
            etag: The content the caller knows; None to take what is there.

        Raises:
            FormatError: The object ends before the range does.
            ObjectChangedError: The object's content is no longer *etag*.
            StoreError: The store failed; whether the object exists is not known.
        """

    async def close(self) -> None:
        """Let go of connections; the store is not used afterwards."""


class Listed(NamedTuple):
    """An object of a listing."""

    name: str
    """Below the directory that was listed; as it is asked for, so without `.gz` of a local file."""
    size: int


class Lister(Protocol):
    """Tells which objects there are; it takes a right of its own, and web servers cannot."""

    def list_below(self, directory: str) -> AsyncIterator[list[Listed]]:
        """All objects below *directory*, page by page, in no order.

        Raises:
            StoreError: The store failed, or does not let us; what was listed so far is not all.
        """


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """Where a volume lies and who we are there: one store of the configuration, as `storage` sees it."""

    ref: Ref
    """The root of the store: keys are relative to it."""
    endpoint: str | None = None
    """The service's URL; None: the vendor's own, or what the environment says."""
    region: str | None = None
    """None: what the environment says, else found out from the bucket."""
    profile: str | None = None
    """A profile of `~/.aws`; None: what the environment says."""
    anonymous: bool = False
    """Do not sign requests and do not look for credentials."""
    path_style: bool | None = None
    """Bucket name in the path rather than in the host name; None: as the service needs it."""
    ca_bundle: Path | None = None
    """Certificates to trust; None: the system's."""
    requester_pays: bool = False
    user_project: str | None = None
    """The Google project to bill; None: nobody in particular."""
    missing_status: frozenset[int] = frozenset({404})
    """HTTP statuses that mean "no such object"."""


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """How long and how often a store is asked. Times are in seconds."""

    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 10.0
    attempt_timeout_s: float = 20.0
    attempts: int = 3
    backoff_min_s: float = 0.05
    backoff_max_s: float = 1.0
    """Waits between attempts are drawn between these; the bound grows from attempt to attempt."""
    max_retry_after_s: float = 5.0
    """The longest `Retry-After` that is waited for; a longer one ends the attempts."""
    retry_budget: float = 0.2
    """Which share of the requests may be second and further attempts."""
    concurrency: int = 64
    """Most requests under way to one bucket at a time; fewer while it is overloaded."""
