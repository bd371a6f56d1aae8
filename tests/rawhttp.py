"""Send raw bytes that an HTTP client library would not send."""

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit


class RawAnswer(NamedTuple):
    """A response: up to the end of the connection, or only its head."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(url: str, request: bytes, *, until_closed: bool = True) -> RawAnswer:
    """Send *request* to the server at *url* and return the answer, with header names in lower case."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        body = await asyncio.wait_for(reader.read(), 10) if until_closed else b""
    finally:
        writer.close()
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return RawAnswer(int(first.split()[1]), headers, body)
