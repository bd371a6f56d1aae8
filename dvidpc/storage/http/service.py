"""What tells one service that speaks HTTP from another: where objects are, and who we are there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from yarl import URL

from dvidpc.errors import FormatError
from dvidpc.storage.content_encoding import decode_content

MAX_REFUSAL: Final = 16 * 1024
"""Bytes of a refusal that are read, and that may come out of its Content-Encoding."""
_CODE = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for an object, as the service wants it."""

    url: URL
    headers: Mapping[str, str] = field(repr=False)
    """What must be said besides; holds credentials."""
    generation: int = 0
    """Of the credentials that it was made with."""
    made_with: object = None
    """What else it was made with that may turn out to be wrong; equal means the same."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than the object asked for."""

    status: int
    headers: Mapping[str, str]
    code: str = ""
    """What S3 and Google call the reason, such as `AccessDenied`; empty: no reason is given."""

    def says_absent(self, missing_status: frozenset[int]) -> bool:
        """Whether it means that there is no such object.

        A status that may mean that does not if the reason is another: the bucket is gone, a secret has
        expired, the object lies in an archive.
        """
        if self.status not in missing_status:
            return False
        if self.status == 404:
            return self.code != "NoSuchBucket"
        return self.code in {"", "AccessDenied"}


class HttpService(Protocol):
    """Makes requests for the objects of one store. Any task may call it; calls may overlap."""

    async def prepare(self, key: str) -> Asking:
        """How to ask for an object now.

        Raises:
            StoreError: There are no credentials, or they cannot be had now.
        """

    async def mend(self, asking: Asking, refusal: Refusal) -> bool:
        """Whether a request that was refused is worth preparing again: it would not be the same."""

    async def close(self) -> None:
        """Let go of credentials."""


def find_code(body: bytes, content_encoding: str | None) -> str:
    """The reason that a refusal's XML begins with; empty if there is none.

    What it quotes of the request comes later, and has no `<` of its own. Nothing else of it is used: it may
    quote the session token.
    """
    try:
        body = decode_content(body, content_encoding, max_size=MAX_REFUSAL)
    except FormatError:
        return ""
    found = _CODE.search(body)
    return found[1].decode() if found else ""
