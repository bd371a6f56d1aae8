"""Answers that a client may keep: an ETag with each, and 304 without a byte when the client has it already.

An ETag here is a hash of the bytes it stands for, so it is right whatever is replaced in a bucket, and
the same after a restart and from every replica. `no-cache` lets a client keep an answer but has it ask
whether it still holds; nothing in a precomputed volume promises for how long it stays as it is.
"""

import base64
from collections.abc import Iterable
from typing import Final, NamedTuple

import mmh3
from aiohttp import hdrs, web

CACHE_CONTROL: Final = "no-cache"

_MOST_HASHED = 1024 * 1024
"""Bytes; hashing them takes a quarter of a millisecond."""


class Document(NamedTuple):
    """A whole body and what names it."""

    body: bytes
    etag: str
    """Without its quotes."""


def etag_of(parts: Iterable[bytes | memoryview]) -> str:
    """What names a body made of *parts*: 8 us for a block of 34 kB, so never of some hundred kB at once."""
    hasher = mmh3.mmh3_x64_128()
    for part in parts:
        hasher.update(part)
    return base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()


def document_of(body: bytes) -> Document:
    """*body* with its ETag."""
    return Document(body, etag_of([body]))


def client_has(request: web.Request, etag: str) -> bool:
    """Whether a request says that the client has what *etag* names; RFC 9110 13.1.2, the weak comparison."""
    if hdrs.IF_NONE_MATCH not in request.headers:
        return False
    return any(known.value in {etag, "*"} for known in request.if_none_match or ())


def not_modified(etag: str) -> web.Response:
    """The answer to a client that has it."""
    return web.Response(status=304, headers={hdrs.ETAG: f'"{etag}"', hdrs.CACHE_CONTROL: CACHE_CONTROL})


def answer_document(request: web.Request, document: Document, content_type: str) -> web.Response:
    """*document*, or 304 if the request says that the client has it."""
    if client_has(request, document.etag):
        return not_modified(document.etag)
    headers = {
        hdrs.ETAG: f'"{document.etag}"',
        hdrs.CACHE_CONTROL: CACHE_CONTROL,
        hdrs.CONTENT_TYPE: content_type,
    }
    return web.Response(body=document.body, headers=headers)


def answer_whole(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """*body*, named by its hash, or 304 if the request says that the client has it."""
    return answer_document(request, document_of(body), content_type)


def may_be_named(request: web.Request) -> bool:
    """Whether an answer of data to this request gets an ETag, if it is in hand and small enough.

    libdvid and lowtis, who read the most, keep nothing, and are the ones that do not say who they are.
    """
    return hdrs.USER_AGENT in request.headers or hdrs.IF_NONE_MATCH in request.headers


def name_answer(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """*response* with an ETag if it is one of data, in hand and small enough to be hashed; or its 304.

    What gets none is not to be taken for fresh either; what is streamed says so itself.
    """
    if not isinstance(response, web.Response) or response.status != 200 or hdrs.ETAG in response.headers:
        return response
    response.headers[hdrs.CACHE_CONTROL] = CACHE_CONTROL
    if not may_be_named(request):
        return response
    body = response.body
    if not isinstance(body, bytes) or not 0 < len(body) <= _MOST_HASHED:
        return response
    return answer_document(request, document_of(body), response.headers[hdrs.CONTENT_TYPE])
