"""Serve the files of `webClient`, such as dvid-console, where no API route matches.

They are served as DVID does, but without its directory listings.  (web.go:1421-1470, 3400c2cb)
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote as quote_url

from aiohttp import hdrs, web
from yarl import URL

from dvidpc.http.lifetime import NO_CACHE
from dvidpc.web.front_page import front_page

_INDEX = "index.html"
_OURS = ("api", "interface")
"""First path parts that never belong to a web client; an unknown path below them is the caller's error."""

_VISIBLE_HIDDEN = ".well-known"


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to another location."""

    location: str
    status: int


class WebClient:
    """The files below one directory, and the fallbacks for missing files."""

    def __init__(self, directory: Path | None, redirect_path: str, default_file: str, base_path: str) -> None:
        """Serve the files of *directory*.

        Args:
            directory: The directory of the files; None: there are no files and no fallbacks.
            redirect_path: Where a missing file redirects to, below *base_path*; empty: no redirect.
            default_file: The file that is sent in place of a missing one; empty: none.
            base_path: The prefix of every path.
        """
        self._directory = directory.resolve() if directory else None
        self._redirect_path = redirect_path
        self._default_file = default_file
        self._base_path = base_path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Return the response to *request*: the file, a redirect, or a fallback.

        Raises:
            HTTPNotFound: There is none of these.
        """
        path = request.path[len(self._base_path) :]
        if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
            raise web.HTTPNotFound
        found = await asyncio.to_thread(self.find, path)
        if found is None:
            raise web.HTTPNotFound
        if isinstance(found, Redirect):
            return web.Response(status=found.status, headers={hdrs.LOCATION: found.location})
        return _file_response(found)

    async def home(self) -> web.StreamResponse | None:
        """Return the client's index page; None if it has none. The fallbacks do not apply to it."""
        index = await asyncio.to_thread(self._file, [_INDEX])
        return _file_response(index) if index is not None else None

    def find(self, path: str) -> Path | Redirect | None:
        """Return the file or redirect for *path*, decoded, with a leading slash; None if there is none.

        This reads the file system, so do not call it on the event loop.
        """
        parts = path.lstrip("/").split("/")
        if self._directory is None or parts[0] in _OURS:
            return None
        if parts[-1] == _INDEX:
            return Redirect("./", 301)
        if not path.endswith("/") and self._is_directory(parts):
            return Redirect(f"{quote_url(parts[-1])}/", 301)
        wanted = [*parts[:-1], _INDEX] if path.endswith("/") else parts
        return self._file(wanted) or self._fallback()

    def _fallback(self) -> Path | Redirect | None:
        if self._redirect_path:
            return Redirect(str(URL(f"{self._base_path}/{self._redirect_path.lstrip('/')}")), 308)
        return self._file(self._default_file.split("/")) if self._default_file else None

    def _file(self, parts: list[str]) -> Path | None:
        path = self._below(parts)
        return path if path is not None and path.is_file() else None

    def _is_directory(self, parts: list[str]) -> bool:
        path = self._below(parts)
        return path is not None and path.is_dir()

    def _below(self, parts: list[str]) -> Path | None:
        """Resolve *parts*, following links; None if missing, hidden or outside the directory."""
        if self._directory is None:
            return None
        if any(part.startswith(".") and part != _VISIBLE_HIDDEN for part in parts) or "\0" in "".join(parts):
            return None
        try:
            path = self._directory.joinpath(*filter(None, parts)).resolve(strict=True)
        except (OSError, RuntimeError):  # missing, a name too long, or a loop of links
            return None
        return path if path.is_relative_to(self._directory) else None


def _file_response(path: Path) -> web.FileResponse:
    """Return a response for the file that supports ranges and conditional requests."""
    return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: NO_CACHE})


WEB_CLIENT: Final = web.AppKey("web_client", WebClient)


async def serve_file(request: web.Request) -> web.StreamResponse:
    """Answer any path that is not in the route table."""
    return await request.app[WEB_CLIENT].answer(request)


async def home(request: web.Request) -> web.StreamResponse:
    """`/`: the web client's page, or else ours; quickly, because NeuTu takes it as a sign of life."""
    return await request.app[WEB_CLIENT].home() or await front_page(request)
