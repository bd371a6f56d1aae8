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
_CODE = re.compile(rb"<Code>([A-Za-z.]{1,64})</Code>")
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

    def says_absent(self, missing_status: frozenset[int]) -> bool:
        """Return whether it means that there is no such object.

        A status in *missing_status* does not mean that if the code says otherwise: the bucket is gone, a
        secret has expired, the object is archived.
        """
        if self.status not in missing_status:
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


def find_code(body: bytes, content_encoding: str | None) -> str:
    """Return the first error code in the XML of a refusal; empty if there is none.

    What the service quotes of the request follows later, with every `<` escaped. Nothing else of the body is
    used: it may quote the session token.
    """
    try:
        body = decode_content(body, content_encoding, max_size=MAX_REFUSAL)
    except FormatError:
        return ""
    found = _CODE.search(body)
    return found[1].decode() if found else ""
