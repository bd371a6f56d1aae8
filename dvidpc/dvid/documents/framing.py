"""Frame documents as HTTP answers with DVID's content types.

The bodies are bytes: aiohttp would add a charset to text, and DVID sends none.
"""

from aiohttp import web

from dvidpc.dvid.table import JSON, TEXT
from dvidpc.formats.dvid.go_json import JsonValue, encode


def json_answer(document: JsonValue) -> web.Response:
    """Return *document* as a JSON answer, encoded as Go encodes it."""
    return web.Response(body=encode(document), content_type=JSON)


def text_answer(text: str) -> web.Response:
    """Return a plain-text answer."""
    return web.Response(body=text.encode(), content_type=TEXT)
