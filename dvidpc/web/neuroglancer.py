"""Serve the client of PyPI's `neuroglancer` at `/neuroglancer/`, if the extra `dvidpc[viewer]` is installed.

This client expects a Python server that sends it the state to show. If the URL holds a state, the client
shows that state, like any neuroglancer, but it still connects to the server. So there is an event stream
without events, and a credentials endpoint that gives no token for `dvid://` sources.
(src/python_integration, 2.41.2)
"""

import asyncio
import contextlib
import mimetypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from dvidpc.dvid.services import SERVICES
from dvidpc.http.error_responses import plain_error
from dvidpc.http.etags import answer_whole
from dvidpc.http.streaming import OCTETS

HOW_TO_GET_IT: Final = (
    "neuroglancer is not installed on this server. To install it, run\n"
    "  pip install 'dvidpc[viewer]'\n"
    "on the server's machine, and restart the server.\n"
)
_PAGE = "/neuroglancer/v/1/"
_KEEP_ALIVE_S = 15.0
_NO_CREDENTIALS = {"credentials": {"tokenType": "Bearer", "accessToken": ""}, "generation": 1}


@cache
def client_directory() -> Path | None:
    """Return the directory of the built client, without importing the package; None if there is none."""
    spec = find_spec("neuroglancer")
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / "static" / "client"
    return directory if (directory / "index.html").is_file() else None


def is_installed() -> bool:
    """Return whether the client is installed."""
    return client_directory() is not None


async def home(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/`: redirect to the client, or say how to install it. Browsers keep the fragment."""
    if not is_installed():
        return plain_error(404, HOW_TO_GET_IT)
    return web.Response(status=302, headers={hdrs.LOCATION: f"{request.app[SERVICES].base_path}{_PAGE}"})


async def client_file(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/v/1/{file}`: the client's page and its files."""
    directory = client_directory()
    if directory is None:
        return plain_error(404, HOW_TO_GET_IT)
    if request.path.endswith(_PAGE.rstrip("/")):
        return await home(request)
    name = request.match_info.get("file", "") or "index.html"
    found = await asyncio.to_thread(_find, directory, name)
    if found is None:
        raise web.HTTPNotFound
    # aiohttp's FileResponse leaves the file open if the browser disconnects while it is being opened.
    body = await asyncio.to_thread(found.read_bytes)
    media_type, _ = mimetypes.guess_type(found.name)
    return answer_whole(request, body, media_type or OCTETS)


async def events(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/events/1`: an event stream without events, open until the client disconnects."""
    response = web.StreamResponse(
        headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-cache"}
    )
    await response.prepare(request)
    stopping = request.app[SERVICES].stopping
    with contextlib.suppress(ConnectionError):
        while not stopping.is_set():
            await response.write(b": keep-alive\n\n")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _KEEP_ALIVE_S)
    return response


async def credentials(_request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/credentials/1`: an empty token, because reading needs none."""
    return web.json_response(_NO_CREDENTIALS)


def _find(directory: Path, name: str) -> Path | None:
    """Return the file called *name*, or None; the client is one flat directory."""
    return next((file for file in directory.iterdir() if file.name == name and file.is_file()), None)
