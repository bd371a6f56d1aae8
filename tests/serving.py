"""Run the real application on a real socket in this process."""

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from dvidpc.config import load_config
from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.table import Family
from dvidpc.run.app import make_app
from dvidpc.run.server import make_runner

UUID = "28841c8277e044a7b187dda03e18da13"


def config_text(stores: Mapping[str, Path | str], more: str = "") -> str:
    """Return a configuration that serves *stores* (instance name to ref), with *more* text at its end."""
    sections = [f'[repo]\nuuid = "{UUID}"\nalias = "em"\ndescription = "EM volumes"\n']
    for name, ref in stores.items():
        where = f"file://{ref}" if isinstance(ref, Path) else ref
        sections.append(f'[store.{name}]\nengine = "ngprecomputed"\nref = "{where}"\ninstance = "{name}"\n')
    return "\n".join([*sections, more])


class Server:
    """A running server and a client session for it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, app: web.Application) -> None:
        self.url = url
        self.session = session
        self.app = app

    @property
    def node(self) -> str:
        """The URL path of the only version."""
        return f"/api/node/{UUID}"

    async def get(self, path: str) -> bytes:
        """Send a GET that has to succeed and return its body; *path* is sent as it is."""
        async with self.session.get(self._url(path)) as response:
            body = await response.read()
            assert response.status == 200, (response.status, body[:500])
            return body

    async def error(self, path: str) -> tuple[int, str]:
        """Send a GET and return its status and text."""
        async with self.session.get(self._url(path)) as response:
            return response.status, await response.text()

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request with only *headers* and those that HTTP requires; redirects are not followed."""
        return self.session.request(
            method,
            self._url(path),
            headers=headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

    def _url(self, path: str) -> URL:
        return URL(f"{self.url}{path}", encoded=True)


class Asked(NamedTuple):
    """A request and the status of its answer."""

    method: str
    path: str
    """The path with its query, as sent."""
    status: int


@asynccontextmanager
async def serving(
    text: str,
    directory: Path,
    environ: Mapping[str, str] | None = None,
    on_answer: Callable[[Asked], object] | None = None,
    families: Mapping[str, Family[Any]] = FAMILIES,
) -> AsyncIterator[Server]:
    """Serve the configuration *text*, written into *directory*; call *on_answer* after each answer."""
    path = directory / "config.toml"
    path.write_text(text)
    config = load_config(path)
    app = make_app(config, os.environ if environ is None else environ, time.time(), families=families)
    if on_answer is not None:
        tell = on_answer

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            tell(Asked(request.method, request.path_qs, response.status))
            return response

        app.middlewares.insert(0, note)
    runner = make_runner(app, config.limits)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession(
            max_line_size=2**21, timeout=aiohttp.ClientTimeout(60), auto_decompress=False
        ) as session:
            yield Server(f"http://127.0.0.1:{runner.addresses[0][1]}", session, app)
    finally:
        await runner.cleanup()
