"""`/neuroglancer/`: the client of PyPI's `neuroglancer`, where the extra `dvidpc[viewer]` is installed.

That client is built to be told by a Python server what to show. Where the address of its page holds a
state it shows that instead, as every neuroglancer does, and still wants a server to talk to: it gets one
that says nothing, and that knows no secret for our own `dvid://` sources.  (src/python_integration, 2.41.2)
"""

import asyncio
import contextlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from dvidpc.dvid.services import SERVICES
from dvidpc.http.error_responses import plain_error

HOW_TO_GET_IT: Final = (
    "neuroglancer is not installed here. To have it, run\n"
    "  pip install 'dvidpc[viewer]'\n"
    "where this server runs, and start it again.\n"
)
_PAGE = "/neuroglancer/v/1/"
_KEEP_ALIVE_S = 15.0
_NO_CREDENTIALS = {"credentials": {"tokenType": "Bearer", "accessToken": ""}, "generation": 1}


@cache
def client_directory() -> Path | None:
    """Where the built client lies; None: it is not installed. The package itself is never imported."""
    spec = find_spec("neuroglancer")
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / "static" / "client"
    return directory if (directory / "index.html").is_file() else None


def is_installed() -> bool:
    """Whether there is a client to serve."""
    return client_directory() is not None


async def home(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/`: leads to the client, and browsers keep what follows `#`; or how to get it."""
    if not is_installed():
        return plain_error(404, HOW_TO_GET_IT)
    return web.Response(status=302, headers={hdrs.LOCATION: f"{request.app[SERVICES].base_path}{_PAGE}"})


async def client_file(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/v/1/{file}`: the client's page, or what it is made of."""
    directory = client_directory()
    if directory is None:
        return plain_error(404, HOW_TO_GET_IT)
    if request.path.endswith(_PAGE.rstrip("/")):
        return await home(request)
    name = request.match_info.get("file", "") or "index.html"
    found = await asyncio.to_thread(_find, directory, name)
    if found is None:
        raise web.HTTPNotFound
    return web.FileResponse(found, headers={hdrs.CACHE_CONTROL: "no-cache"})


async def events(request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/events/1`: open for as long as the client is, and silent."""
    response = web.StreamResponse(
        headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-cache"}
    )
    await response.prepare(request)
    stopping = request.app[SERVICES].stopping
    with contextlib.suppress(ConnectionError):
        while not stopping.is_set():
            await response.write(b": still here\n\n")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _KEEP_ALIVE_S)
    return response


async def credentials(_request: web.Request) -> web.StreamResponse:
    """`/neuroglancer/credentials/1`: nothing is needed to read from here."""
    return web.json_response(_NO_CREDENTIALS)


def _find(directory: Path, name: str) -> Path | None:
    """The file of that name; None if there is none. The client is one flat directory."""
    return next((file for file in directory.iterdir() if file.name == name and file.is_file()), None)
