"""Ends connections that only cost: of clients that never finish asking, and of those that take no answer.

aiohttp has a time limit for neither. Every connection notes when a request's head began to come in; one
timer for all connections looks for those that take too long.
"""

import asyncio
import logging
import math
from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from dvidpc.config import LimitsConfig
from dvidpc.tasks import every

log = logging.getLogger(__name__)

SWEEP_S: Final = 1.0
"""How often connections are looked at; they may take so much longer."""
_SHOWN = 200


class Connection(RequestHandler):
    """A connection that knows since when a head has been coming in, and an answer going out."""

    __slots__ = ("head_since", "stuck_at", "stuck_since")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As aiohttp; the first head is due."""
        self.head_since = self._loop.time()
        self.stuck_at = 0
        self.stuck_since = math.inf
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """As aiohttp; notes whether a head is complete."""
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self.head_since = math.inf
        elif self.head_since == math.inf and self._waiter is not None:
            self.head_since = self._loop.time()

    def log_exception(self, *args: object, **kw: object) -> None:
        """As aiohttp, but for what says nothing of the server: what is no HTTP, and clients that leave."""
        error = kw.get("exc_info")
        if isinstance(error, ConnectionError):
            log.debug("%s has left: %s", self.peername, error)
        elif isinstance(error, HttpProcessingError):
            reason = " ".join(str(error.message).split())[:_SHOWN]
            log.info("%s sent what is no request: %s", self.peername, reason)
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """As aiohttp, but for an `Expect` that it fails to refuse, since it cannot quote what is no text."""
        if not isinstance(exc, UnicodeEncodeError) or hdrs.EXPECT not in request.headers:
            return super().handle_error(request, status, exc, message)
        refusal = web.Response(status=417)
        refusal.force_close()
        return refusal

    def overdue(self, now: float, limits: LimitsConfig) -> str | None:
        """Why the connection should end; None: it should not."""
        if now - self.head_since >= limits.header_timeout_s:
            return "sent no request within header_timeout"
        # A transport's buffer that keeps its size to the byte is one that nobody reads.
        unsent = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if not unsent or unsent != self.stuck_at:
            self.stuck_at = unsent
            self.stuck_since = now if unsent else math.inf
        if now - self.stuck_since >= limits.write_stall_timeout_s:
            return "took nothing of its answer for write_stall_timeout"
        return None


class _Server(web.Server):
    """Makes connections that know how long they take."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)


class WatchedRunner(web.AppRunner):
    """An AppRunner whose connections are watched while it runs."""

    __slots__ = ("_limits", "_watch")

    def watch(self, limits: LimitsConfig) -> None:
        """Take the times from *limits* from now on; to be called before `setup`."""
        self._limits = limits

    async def setup(self) -> None:
        """As aiohttp; begins to watch."""
        await super().setup()
        self._watch = asyncio.ensure_future(every(SWEEP_S, self._sweep))

    async def cleanup(self) -> None:
        """As aiohttp; stops watching last, so that a stalled client does not hold up the end."""
        try:
            await super().cleanup()
        finally:
            self._watch.cancel()
            await asyncio.wait([self._watch])

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp offers no other place to name the class of connections
        return server

    def _sweep(self) -> None:
        if self.server is not None:
            end_overdue(self.server.connections, asyncio.get_running_loop().time(), self._limits)


def end_overdue(connections: Iterable[RequestHandler], now: float, limits: LimitsConfig) -> None:
    """Cut the connections that take too long."""
    for connection in connections:
        reason = connection.overdue(now, limits) if isinstance(connection, Connection) else None
        if reason is not None and connection.transport is not None:
            log.info("connection of %s cut: it %s", connection.peername, reason)
            connection.transport.abort()
