"""The seam of this room: what every kind of store offers, and the values that describe one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias

from dvidpc.storage.ref import Ref
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of an object, or of a range of it, at one moment."""

    data: bytes
    version: Version
    """Which content of the object was read."""
    gzip: bytes | None = None
    """*data* as stored, if that is one gzip stream; None if it is stored in another way."""


class ObjectStore(Protocol):
    """Reads objects below one prefix of one bucket. Any task may call it; calls may overlap.

    A key is relative to the prefix, separated by `/` and normalised: no part is empty, `.` or `..`.
    """

    @property
    def url(self) -> str:
        """The bucket and prefix as a person would write them, for messages; never holds a credential."""

    @property
    def identity(self) -> str:
        """Which objects these are, for cache keys; never holds a credential.

        Two stores with the same identity read the same objects: it names service, bucket and prefix. It is
        the same after a restart and on every replica. It is `url` if the vendor's own service is used, else
        the service's endpoint, a space and `url`.
        """

    @property
    def oddity(self) -> str | None:
        """What an operator should know about the store's answers so far; None if they were as usual."""

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever objects that were reported missing may exist after all.

        Only a weak reference to the method *callback* is kept.
        """

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """Return the whole object, its Content-Encoding removed; None if there is no such object.

        Args:
            key: Which object.
            max_size: The most bytes that it may have, before and after its Content-Encoding is removed.
            is_metadata: Whether it describes the volume, such as `info`. A refusal never means that it is
                missing, and the store asks for it when the absence of other objects is in doubt.

        Raises:
            FormatError: Its Content-Encoding cannot be removed.
            OversizeError: It is larger than *max_size*.
            StoreError: The store failed; whether the object exists is not known.
        """

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """Return exactly *byte_range* of the object as stored; None if there is no such object.

        Args:
            key: Which object.
            byte_range: Which bytes; not empty.
            version: The content that the caller expects; None to accept any.

        Raises:
            FormatError: The object ends before the range does.
            ObjectChangedError: The object is no longer *version*.
            StoreError: The store failed; whether the object exists is not known.
        """

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """Return exactly the last *size* bytes of the object as stored; None if there is no such object.

        Args:
            key: Which object.
            size: How many bytes; at least 1.

        Raises:
            FormatError: The object has fewer bytes.
            StoreError: The store failed; whether the object exists is not known.
        """

    async def close(self) -> None:
        """Release connections; the store is not used afterwards."""


LINK_TO_NOTHING: Final = -1
"""The size of a listed file that is a symbolic link to nothing: it cannot be read, and is not absent."""


class Listed(NamedTuple):
    """An object of a listing."""

    name: str
    """Relative to the listed directory, as `ObjectStore` reads it: without the `.gz` of a local file."""
    size: int


class Lister(Protocol):
    """Lists objects. Listing takes a permission of its own, and web servers do not offer it."""

    def list_below(self, directory: str) -> AsyncIterator[list[Listed]]:
        """Return all objects below *directory*, page by page, in no particular order.

        Raises:
            StoreError: The store failed or refused; the pages so far are not all.
        """

    async def close(self) -> None:
        """Release connections; the lister is not used afterwards."""


OpenLister: TypeAlias = Callable[[], Awaitable[Lister | None]]
"""Opens a lister; its result is None if the store cannot be listed."""


async def cannot_list() -> Lister | None:
    """Open no lister."""
    return None


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """Where a volume is and how to sign in there: one store of the configuration, as this room sees it."""

    ref: Ref
    """The root of the store: keys are relative to it."""
    endpoint: str | None = None
    """The service's URL; None for the one in the environment, else the vendor's own."""
    region: str | None = None
    """None for the one in the environment, else the one that the bucket reports."""
    profile: str | None = None
    """A profile of `~/.aws`; None for the one in the environment."""
    anonymous: bool = False
    """Send unsigned requests, and look for no credentials."""
    path_style: bool | None = None
    """Whether the bucket's name is in the path, not in the host name; None for the service's default."""
    ca_bundle: Path | None = None
    """Certificates to trust as well; None for the system's only."""
    requester_pays: bool = False
    user_project: str | None = None
    """The Google project to bill; None for the bucket's own."""
    missing_status: frozenset[int] = frozenset({404})
    """HTTP statuses that mean "no such object"."""
    ignore_etag: bool = False
    """Tell versions of an object apart by size and time only."""
    has_suffixes: bool = True
    """Whether files below a directory may have a suffix for their encoding, as cloud-volume writes them."""


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Timeouts, retries and concurrency of the requests to a store. Times are in seconds."""

    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 10.0
    attempt_timeout_s: float = 20.0
    attempts: int = 3
    backoff_min_s: float = 0.05
    backoff_max_s: float = 1.0
    """The pause before a retry is drawn between these two; the upper bound grows with each attempt."""
    max_retry_after_s: float = 5.0
    """The longest `Retry-After` to wait for; a longer one ends the retries."""
    retry_budget: float = 0.2
    """The share of requests that may be retries."""
    concurrency: int = 64
    """The most requests to one bucket at a time; fewer while it is overloaded."""
