"""Everything this server uses of aiohttp that aiohttp does not document, in one place.

The members were read in aiohttp 3.14.5:

* `RequestHandler`: `_loop`, `_messages`, `_current_request`, `_waiter`; the hooks `connection_made`,
  `data_received`, `log_exception` and `handle_error` that `http.connections` overrides
* `web.Server`: `_loop`, `_kwargs`, `__call__`, `request_factory`, `connections`; `__class__` can be set
* `web.AppRunner._make_server`
* `web.BaseSite`: `_runner`, `_server`, `_ssl_context`, `_backlog`, as `web.SockSite` uses them
* `BaseRequest._prepare_hook`, and `web_protocol.ERROR`, the stand-in for a message that was not parsed
* `AbstractStreamWriter.output_size`
* of a response, `RequestHandler` uses no more than `prepare`, `write_eof`, `prepared` and `keep_alive`
* `http_parser.HttpRequestParserPy`

pyproject.toml excludes the next minor version, and tests/http/test_aiohttp_internals.py fails when an aiohttp
changes one of them. After an update, read the changed code, then move the bound.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import aiohttp
from aiohttp import StreamReader, http_parser, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import ERROR, RequestHandler

from dvidpc.errors import ConfigError

OLDEST: Final = (3, 14, 4)
"""Earlier versions allow request smuggling (PYSEC-2026-4371) and requests beyond the size limits."""


def check_parser() -> None:
    """Check that aiohttp is at least version OLDEST and parses requests with its C parser.

    Raises:
        ConfigError: It is older, or uses the parser in Python.
    """
    version = tuple(int(part) for part in re.findall(r"\d+", aiohttp.__version__)[:3])
    oldest = ".".join(map(str, OLDEST))
    if version < OLDEST:
        raise ConfigError(f"aiohttp {aiohttp.__version__} is too old: install {oldest} or later")
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise ConfigError(
            f"aiohttp {aiohttp.__version__} runs without its parser in C; the one in Python is slow and less "
            "tested: unset AIOHTTP_NO_EXTENSIONS, or install an aiohttp wheel for this platform"
        )


class ObservableConnection(RequestHandler):
    """A connection that tells whether a request has arrived."""

    __slots__ = ()

    @property
    def now(self) -> float:
        """The time of the event loop, in seconds."""
        return self._loop.time()

    @property
    def has_request(self) -> bool:
        """Whether a request with a complete head is queued or being handled."""
        return bool(self._messages) or self._current_request is not None

    @property
    def awaits_request(self) -> bool:
        """Whether the previous response is finished and the next request may come."""
        return self._waiter is not None


class CustomRunner(web.AppRunner):
    """An AppRunner whose connections are of a class of ours; aiohttp has no parameter for that."""

    __slots__ = ()

    connection_class: ClassVar[type[RequestHandler]] = RequestHandler

    def on_connection(self) -> None:
        """Be told of a new connection."""

    async def _make_server(self) -> web.Server:
        connection_class, on_connection = self.connection_class, self.on_connection

        class CustomServer(web.Server):
            def __call__(self) -> RequestHandler:
                on_connection()
                return connection_class(self, loop=self._loop, **self._kwargs)

        server = await super()._make_server()
        server.__class__ = CustomServer
        return server


class UnixSockSite(web.BaseSite):
    """Serves what arrives at a socket in the file system that is bound already.

    `web.SockSite` cannot: it makes a TCP server of any socket, which uvloop configures as such.
    """

    __slots__ = ("_socket",)

    def __init__(
        self,
        runner: web.BaseRunner,
        sock: socket.socket,
        *,
        ssl_context: ssl.SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._socket = sock

    @property
    def name(self) -> str:
        """The address, for messages."""
        return f"unix:{self._socket.getsockname()}"

    async def start(self) -> None:
        """Start to accept connections."""
        await super().start()
        assert self._runner.server is not None
        self._server = await asyncio.get_running_loop().create_unix_server(
            self._runner.server, sock=self._socket, ssl=self._ssl_context, backlog=self._backlog
        )


Prepare = Callable[[web.BaseRequest, web.StreamResponse], Awaitable[None]]
"""Changes a response before its head is sent."""


def prepare_unparsed(server: web.Server, prepare: Prepare) -> None:
    """Run *prepare* on the responses of *server* to requests that could not be parsed.

    aiohttp answers these without calling the application, so `on_response_prepare` does not run.
    """
    make_request = server.request_factory

    class UnparsedRequest(web.BaseRequest):
        async def _prepare_hook(self, response: web.StreamResponse) -> None:
            await prepare(self, response)

    def make(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if message is ERROR:
            return UnparsedRequest(message, payload, protocol, writer, task, asyncio.get_running_loop())
        return make_request(message, payload, protocol, writer, task)

    server.request_factory = make


def bytes_sent(request: web.BaseRequest) -> int:
    """Return how many bytes of the response have been written."""
    return request.writer.output_size


def count_bytes_sent(request: web.BaseRequest, nbytes: int) -> None:
    """Record that *nbytes* of the response were written past aiohttp, directly to the transport."""
    request.writer.output_size += nbytes


class SentResponse(web.StreamResponse):
    """A response that has been written completely, so that aiohttp has nothing left to write."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keeps_alive = keep_alive

    @property
    def prepared(self) -> bool:
        """True: no header can be added."""
        return True

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open."""
        return self._keeps_alive

    async def prepare(self, _request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Do nothing."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing."""
