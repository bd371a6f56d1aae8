"""Read the body of a request, up to a limit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.errors import TooLargeError

NOT_STORED: Final[Mapping[str, str]] = MappingProxyType({hdrs.CACHE_CONTROL: "no-store"})
"""Headers of an answer to a GET that depends on the request's body, which no cache looks at."""


async def read_body(request: web.Request, max_size: int) -> bytes:
    """Return the body of a request.

    Raises:
        TooLargeError: It has more than *max_size* bytes.
    """
    parts = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > max_size:
            raise TooLargeError(f"the body of the request exceeds {max_size} bytes; send it in parts")
        parts.append(part)
    return b"".join(parts)
