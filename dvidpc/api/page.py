"""The page at `/` for people, where no web client is configured."""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

from aiohttp import hdrs, web

from dvidpc.page import load_page

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but what this server sends, whatever a volume's name may hold."""


ANY: Final = "*/*"
"""The media type of files of several."""


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    headers: dict[str, str]


async def front_page(request: web.Request) -> web.StreamResponse:
    """`/`: that it answers at once tells NeuTu that the server is alive."""
    return _answer(request, _files()["index.html"])


async def page_file(request: web.Request) -> web.StreamResponse:
    """`/page/{file}`: what the page is made of."""
    file = _files().get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound
    return _answer(request, file)


def _answer(request: web.Request, file: _File) -> web.Response:
    if request.headers.get(hdrs.IF_NONE_MATCH) == file.headers[hdrs.ETAG]:
        return web.Response(status=304, headers=file.headers)
    return web.Response(body=file.body, headers=file.headers)


@cache
def _files() -> dict[str, _File]:
    return {name: _File(body, _headers(body, media_type)) for name, (body, media_type) in load_page().items()}


def _headers(body: bytes, media_type: str) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: f"{media_type}; charset=utf-8",
        hdrs.ETAG: f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        hdrs.CACHE_CONTROL: "no-cache",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
