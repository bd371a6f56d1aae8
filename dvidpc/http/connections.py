"""Close connections that only cost: clients that never complete a request, or never read the response.

aiohttp has a timeout for neither. Each connection records when a request's head began to arrive; one timer
for all connections finds those that take too long.
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
from dvidpc.http.aiohttp_internals import CustomRunner, ObservableConnection
from dvidpc.tasks import abandon, keep_running

log = logging.getLogger(__name__)

SWEEP_S: Final = 1.0
"""How often connections are checked; a connection may exceed its timeout by as much."""
FIRST_REQUEST_S: Final = 0.5
"""How long a server that stops waits for the first request of a connection."""
_LOOKS: Final = 50
"""How often it looks in that time."""
_SHOWN: Final = 200
"""Characters of a parse error that a log line shows."""


class Connection(ObservableConnection):
    """A connection that knows how long it has waited for a request's head, and for the client to read."""

    __slots__ = ("head_since", "is_fresh", "stuck_at", "stuck_since")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start waiting for the first head."""
        self.head_since = self.now
        self.is_fresh = True
        self.stuck_at = 0
        self.stuck_since = math.inf
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Parse *data*, and record whether a head is complete or has begun."""
        super().data_received(data)
        if self.has_request:
            self.head_since = math.inf
            self.is_fresh = False
        elif self.head_since == math.inf and self.awaits_request:
            self.head_since = self.now

    def log_exception(self, *args: object, **kw: object) -> None:
        """Log malformed requests and disconnects in one line, without a traceback."""
        error = kw.get("exc_info")
        if isinstance(error, ConnectionError):
            log.debug("client disconnected: %s: %s", self.peername, error)
        elif isinstance(error, HttpProcessingError):
            reason = " ".join(str(error.message).split())[:_SHOWN]
            log.info("malformed request from %s: %s", self.peername, reason)
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer 417 to an `Expect` that is not valid text; aiohttp would fail to quote it in its refusal."""
        if not isinstance(exc, UnicodeEncodeError) or hdrs.EXPECT not in request.headers:
            return super().handle_error(request, status, exc, message)
        refusal = web.Response(status=417)
        refusal.force_close()
        return refusal

    def overdue(self, now: float, limits: LimitsConfig) -> str | None:
        """Return why the connection should be closed; None if it should stay open."""
        if now - self.head_since >= limits.header_timeout_s:
            return "no complete request head within header_timeout"
        # If the size of the send buffer does not change by a byte, the client is not reading.
        unsent = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if not unsent or unsent != self.stuck_at:
            self.stuck_at = unsent
            self.stuck_since = now if unsent else math.inf
        if now - self.stuck_since >= limits.write_stall_timeout_s:
            return "the client has read nothing of the response for write_stall_timeout"
        return None


class WatchedRunner(CustomRunner):
    """An AppRunner that closes overdue connections while it runs."""

    __slots__ = ("_connected", "_limits", "_watch")

    connection_class = Connection

    def watch(self, limits: LimitsConfig) -> None:
        """Use the timeouts in *limits* from now on; must be called before `setup`."""
        self._limits = limits

    async def setup(self) -> None:
        """Set up the server and start the timer, which rests while nobody is connected."""
        self._connected = asyncio.Event()
        await super().setup()
        self._watch = keep_running("connection timeouts", self._sweep_while_connected)

    def on_connection(self) -> None:
        """Start the timer."""
        self._connected.set()

    async def cleanup(self) -> None:
        """Stop the server, then the timer: while requests finish, stalled clients must still be closed."""
        try:
            await self._hear_out()
            await super().cleanup()
        finally:
            await abandon([self._watch])

    async def _hear_out(self) -> None:
        """Accept no more connections, and wait a moment for the first request of those just accepted.

        aiohttp would close them unanswered. Those that are not accepted wait for the next process, if the
        socket is one that systemd holds.
        """
        for site in self.sites:
            await site.stop()
        for _ in range(_LOOKS):
            if not self._has_fresh_connection():
                break
            await asyncio.sleep(FIRST_REQUEST_S / _LOOKS)

    def _has_fresh_connection(self) -> bool:
        connections = self.server.connections if self.server is not None else []
        return any(isinstance(one, Connection) and one.is_fresh for one in connections)

    async def _sweep_while_connected(self) -> None:
        while True:
            await self._connected.wait()
            await asyncio.sleep(SWEEP_S)
            connections = self.server.connections if self.server is not None else []
            close_overdue(connections, asyncio.get_running_loop().time(), self._limits)
            if not connections:
                self._connected.clear()


def close_overdue(connections: Iterable[RequestHandler], now: float, limits: LimitsConfig) -> None:
    """Abort the connections that have exceeded a timeout."""
    for connection in connections:
        reason = connection.overdue(now, limits) if isinstance(connection, Connection) else None
        if reason is not None and connection.transport is not None:
            log.info("connection of %s closed: %s", connection.peername, reason)
            connection.transport.abort()
