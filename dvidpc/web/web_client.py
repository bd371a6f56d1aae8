"""`webClient`: the files of a web client, such as dvid-console, where no route of the API matches.

As DVID serves them, without its listings of directories.  (web.go:1421-1470, 3400c2cb)
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote as quote_url

from aiohttp import hdrs, web
from yarl import URL

from dvidpc.http.etags import CACHE_CONTROL
from dvidpc.web.front_page import front_page

_INDEX = "index.html"
_OURS = ("api", "interface")
"""First parts of paths that are never a web client's: what is missing there is an error of the caller."""

_VISIBLE_HIDDEN = ".well-known"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Look there instead."""

    location: str
    status: int


class WebClient:
    """The files below one directory, and what answers for those that are missing."""

    def __init__(self, directory: Path | None, redirect_path: str, default_file: str, base_path: str) -> None:
        """Serve *directory*; None: every file is missing, and that is that.

        Args:
            directory: Where the files are.
            redirect_path: Where a missing one redirects to, below *base_path*; empty: nowhere.
            default_file: Which one is sent for a missing one; empty: none.
            base_path: What stands before every path.
        """
        self._directory = directory.resolve() if directory else None
        self._redirect_path = redirect_path
        self._default_file = default_file
        self._base_path = base_path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever *request* is for, if it is a file.

        Raises:
            HTTPNotFound: It is not.
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
        """The page at the root; None: there is none, and no other file stands in for it."""
        index = await asyncio.to_thread(self._file, [_INDEX])
        return _file_response(index) if index is not None else None

    def find(self, path: str) -> Path | Redirect | None:
        """What answers *path*, which is decoded and starts with a slash; None: nothing. Looks at the disk."""
        parts = path.lstrip("/").split("/")
        if self._directory is None or parts[0] in _OURS:
            return None
        if parts[-1] == _INDEX:
            return Redirect("./", 301)
        if not path.endswith("/") and self._is_directory(parts):
            return Redirect(f"{quote_url(parts[-1])}/", 301)
        wanted = [*parts[:-1], _INDEX] if path.endswith("/") else parts
        return self._file(wanted) or self._stand_in()

    def _stand_in(self) -> Path | Redirect | None:
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
        """Where *parts* lead, links followed; None: nowhere, out of our directory, or to a hidden file."""
        if self._directory is None:
            return None
        if any(part.startswith(".") and part != _VISIBLE_HIDDEN for part in parts) or "\0" in "".join(parts):
            return None
        try:
            path = self._directory.joinpath(*filter(None, parts)).resolve(strict=True)
        except (OSError, RuntimeError):  # it is not there, its name is too long, or links go in a circle
            return None
        return path if path.is_relative_to(self._directory) else None


def _file_response(path: Path) -> web.FileResponse:
    """The file, by range and condition if so asked; a client may keep it and asks whether it still holds."""
    return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: CACHE_CONTROL})


WEB_CLIENT: Final = web.AppKey("web_client", WebClient)


async def serve_file(request: web.Request) -> web.StreamResponse:
    """Any path that is not in the table of routes."""
    return await request.app[WEB_CLIENT].answer(request)


async def home(request: web.Request) -> web.StreamResponse:
    """`/`: the web client's page, else ours; at once, as NeuTu takes it for a sign of life."""
    return await request.app[WEB_CLIENT].home() or await front_page(request)
