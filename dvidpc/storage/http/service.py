"""What differs between services that speak HTTP: how objects are addressed, and how requests are signed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from yarl import URL

from dvidpc.errors import FormatError
from dvidpc.storage.content_encoding import decode_content

MAX_REFUSAL: Final = 16 * 1024
"""The most bytes of a refusal that are read, before and after its Content-Encoding is removed."""
_CODE = re.compile(rb"<Code>(?=[A-Za-z.]{1,64}<)([A-Za-z]+(?:\.[A-Za-z]+)?)</Code>")
_REGION = re.compile(
    rb"<Region>([A-Za-z0-9_-]{1,32})</Region>|; expecting (?:'|&#39;|&apos;|&quot;)([A-Za-z0-9_-]{1,32})"
)
"""Where an `AuthorizationHeaderMalformed` names the region that a request should be signed for."""
_LATER = frozenset({408, 425, 429})
_LATER_CODES = frozenset({"RequestTimeout", "SlowDown"})
_SQUID_ERROR = re.compile(r"ERR_[A-Z_]{1,40}", re.ASCII)
_NEEDS_TLS = re.compile(
    rb"HTTP request (?:was sent )?to (?:an )?HTTPS (?:port|server)|speaking plain HTTP to an SSL-enabled"
)
"""What nginx, Go's servers and Apache answer to plain HTTP where they expect TLS."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A prepared request for an object."""

    url: URL
    headers: Mapping[str, str] = field(repr=False)
    """Headers that the service needs; they hold credentials."""
    generation: int = 0
    """Which credentials it was signed with; see `Credentials.generation`."""
    made_with: object = None
    """What else it depends on that the service may correct, such as the region; compared by `==`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that is not about the object."""

    status: int
    headers: Mapping[str, str]
    code: str = ""
    """The error code of S3 and Google, such as `AccessDenied`; empty if there is none."""
    needs_tls: bool = False
    """Whether the server says that it speaks only HTTPS at this port."""
    needs_certificate: bool = False
    """Whether the server says that it wants a client certificate."""
    region: str = ""
    """The region that the service expects requests to be signed for; empty if it does not say."""

    @property
    def by_proxy(self) -> str:
        """What a proxy says that answers in place of the service, such as `ERR_ACCESS_DENIED`; else empty."""
        found = _SQUID_ERROR.match(self.headers.get("X-Squid-Error", ""))
        return found[0] if found else ""

    @property
    def is_passing(self) -> bool:
        """Whether it says nothing about the object, and may be different in a moment.

        CDNs have statuses of their own, such as 520 to 530 for a server that they cannot reach. S3 says
        `RequestTimeout` when it has read a request too slowly.
        """
        return self.status >= 500 or self.status in _LATER or self.code in _LATER_CODES

    def says_absent(self, missing_status: frozenset[int]) -> bool:
        """Return whether it means that there is no such object.

        A status in *missing_status* does not mean that if the code says otherwise: the bucket is gone, a
        secret has expired, the object is archived.
        """
        if self.status not in missing_status or self.by_proxy:
            return False
        if self.status == 404:
            return self.code != "NoSuchBucket"
        return self.code in {"", "AccessDenied"}


class HttpService(Protocol):
    """Prepares requests for the objects of one store. Any task may call it; calls may overlap."""

    async def prepare(self, key: str) -> Asking:
        """Return a request for an object, to be sent now.

        Raises:
            StoreError: There are no credentials, or they cannot be looked up now.
        """

    async def renew(self, asking: Asking, refusal: Refusal) -> bool:
        """Learn from a refused request; return whether a newly prepared one would differ from it."""

    async def close(self) -> None:
        """Release the credentials."""


def says_tls_is_needed(status: int, body: bytes) -> bool:
    """Return whether a refusal says that the server speaks only HTTPS at this port."""
    return status == 400 and _NEEDS_TLS.search(body) is not None


def says_certificate_is_needed(status: int, body: bytes) -> bool:
    """Return whether a refusal says that the server wants a client certificate, as nginx does."""
    return status == 400 and b"No required SSL certificate was sent" in body


def find_code(body: bytes, content_encoding: str | None) -> str:
    """Return the first error code in the XML of a refusal; empty if there is none.

    What the service quotes of the request follows later, with every `<` escaped. Nothing else of the body is
    used but the expected region: it may quote the session token.
    """
    found = _CODE.search(_decode(body, content_encoding))
    return found[1].decode() if found else ""


def find_expected_region(body: bytes, content_encoding: str | None) -> str:
    """Return the region that a refusal wants requests to be signed for; empty if it names none."""
    found = _REGION.search(_decode(body, content_encoding))
    return (found[1] or found[2]).decode() if found else ""


def _decode(body: bytes, content_encoding: str | None) -> bytes:
    try:
        return decode_content(body, content_encoding, max_size=MAX_REFUSAL)
    except FormatError:
        return b""
