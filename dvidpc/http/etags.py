"""Conditional responses: an ETag on each cacheable response, and 304 when the client already has it.

An ETag is a hash of the response body. So it changes whenever an object is replaced in the bucket, and it is
the same after a restart and on every replica. A client stores a document, but has to ask each time whether it
is still valid (`Cache-Control: no-cache`). It may use data for a while without asking, see `http.lifetime`.
"""

import base64
from collections.abc import Iterable
from typing import NamedTuple

import mmh3
from aiohttp import hdrs, web

from dvidpc.http.lifetime import NO_CACHE, cache_control_of

_MOST_HASHED = 1024 * 1024
"""The largest body that is hashed, in bytes; this takes a quarter of a millisecond."""


class Document(NamedTuple):
    """A response body with its ETag."""

    body: bytes
    etag: str
    """Without quotes."""


def etag_of(parts: Iterable[bytes | memoryview]) -> str:
    """Return the ETag, without quotes, of the body that consists of *parts*.

    Hashing 34 kB takes 8 us; callers limit the size, because this runs on the event loop.
    """
    hasher = mmh3.mmh3_x64_128()
    for part in parts:
        hasher.update(part)
    return base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()


def document_of(body: bytes) -> Document:
    """Return *body* with its ETag."""
    return Document(body, etag_of([body]))


def client_has(request: web.Request, etag: str) -> bool:
    """Return whether `If-None-Match` lists *etag*, compared weakly (RFC 9110 section 13.1.2)."""
    if hdrs.IF_NONE_MATCH not in request.headers:
        return False
    return any(known.value in {etag, "*"} for known in request.if_none_match or ())


def not_modified(etag: str, cache_control: str) -> web.Response:
    """Return a 304 for *etag*, which also says for how long the client may use what it has."""
    return web.Response(status=304, headers={hdrs.ETAG: f'"{etag}"', hdrs.CACHE_CONTROL: cache_control})


def answer_document(request: web.Request, document: Document, content_type: str) -> web.Response:
    """Return *document* as a response, or a 304 if the client already has it."""
    if client_has(request, document.etag):
        return not_modified(document.etag, NO_CACHE)
    headers = {
        hdrs.ETAG: f'"{document.etag}"',
        hdrs.CACHE_CONTROL: NO_CACHE,
        hdrs.CONTENT_TYPE: content_type,
    }
    return web.Response(body=document.body, headers=headers)


def answer_whole(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """Return *body* as a response with its ETag, or a 304 if the client already has it."""
    return answer_document(request, document_of(body), content_type)


def may_be_named(request: web.Request) -> bool:
    """Return whether a data response to this request should have an ETag, if its body is complete and small.

    libdvid and lowtis, which read the most, cache nothing; they are the clients that send no User-Agent.
    """
    return hdrs.USER_AGENT in request.headers or hdrs.IF_NONE_MATCH in request.headers


def name_answer(
    request: web.Request, response: web.StreamResponse, *, is_document: bool
) -> web.StreamResponse:
    """Add an ETag to *response* if it is a complete 200 that is small enough to hash, or return its 304.

    A response without an ETag still gets `Cache-Control`, so that no cache chooses a lifetime of its own;
    streamed responses set that header themselves. A response that has either is left as it is.

    Args:
        request: The request.
        response: Its response.
        is_document: Whether a client has to ask each time whether the response is still valid.
    """
    if not isinstance(response, web.Response) or response.status != 200:
        return response
    if hdrs.ETAG in response.headers or hdrs.CACHE_CONTROL in response.headers:
        return response
    cache_control = NO_CACHE if is_document else cache_control_of(request)
    response.headers[hdrs.CACHE_CONTROL] = cache_control
    if not may_be_named(request):
        return response
    body = response.body
    if not isinstance(body, bytes) or not 0 < len(body) <= _MOST_HASHED:
        return response
    etag = etag_of([body])
    if client_has(request, etag):
        return not_modified(etag, cache_control)
    response.headers[hdrs.ETAG] = f'"{etag}"'
    return response
