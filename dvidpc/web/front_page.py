"""Serve the page at `/`, unless a web client is configured."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from aiohttp import web

from dvidpc.http.etags import Document, answer_document, document_of
from dvidpc.web.page import load_page

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Load only what this server sends; a volume's name cannot inject scripts."""

_STRICT: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _File:
    document: Document
    media_type: str


async def front_page(request: web.Request) -> web.StreamResponse:
    """`/`: must answer quickly, because NeuTu takes the answer as a sign that the server is alive."""
    return _answer(request, _files()["index.html"])


async def page_file(request: web.Request) -> web.StreamResponse:
    """`/page/{file}`: the page's scripts, styles and images."""
    file = _files().get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound
    return _answer(request, file)


def _answer(request: web.Request, file: _File) -> web.Response:
    response = answer_document(request, file.document, f"{file.media_type}; charset=utf-8")
    response.headers.update(_STRICT)
    return response


@cache
def _files() -> dict[str, _File]:
    return {name: _File(document_of(body), media_type) for name, (body, media_type) in load_page().items()}
