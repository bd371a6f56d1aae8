"""Sends bytes as they are, where a client library would send something more decent."""

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit


class RawAnswer(NamedTuple):
    """What came back until the server closed, or until its head was whole."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(url: str, request: bytes, *, until_closed: bool = True) -> RawAnswer:
    """Send *request* to the server at *url*; its answer. Names of headers are in lower case."""
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
