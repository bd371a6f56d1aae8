"""Reads bodies of HTTP responses, within a bound."""

from typing import Final

import aiohttp

from dvidpc.storage.http.service import (
    MAX_REFUSAL,
    Refusal,
    find_code,
    find_expected_region,
    says_certificate_is_needed,
    says_tls_is_needed,
)

_WITH_CODE: Final = frozenset({400, 401, 403, 404})
"""Statuses whose body is read for its error code."""


async def read_body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body, or its first *most* bytes if it is longer."""
    pieces, size = [], 0
    while size < most and (piece := await response.content.readany()):
        pieces.append(piece)
        size += len(piece)
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return data if size <= most else data[:most]


async def read_refusal(response: aiohttp.ClientResponse) -> Refusal:
    """Return what a response says that is not about the object, and release its connection."""
    async with response:
        body = await read_body(response, MAX_REFUSAL) if response.status in _WITH_CODE else b""
    encoding = encoding_of(response)
    code = find_code(body, encoding)
    return Refusal(
        response.status,
        response.headers,
        code,
        says_tls_is_needed(response.status, body),
        says_certificate_is_needed(response.status, body),
        find_expected_region(body, encoding) if code == "AuthorizationHeaderMalformed" else "",
    )


def encoding_of(response: aiohttp.ClientResponse) -> str | None:
    """Return the Content-Encoding, of one header or several; None if there is none.

    Several headers mean the same as one with their values in this order. (RFC 9110 section 5.3)
    """
    return ", ".join(response.headers.getall("Content-Encoding", ())) or None
