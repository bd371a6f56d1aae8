"""Read the body of a request, up to a limit."""

from aiohttp import web

from dvidpc.errors import TooLargeError


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
