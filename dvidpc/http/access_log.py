"""Record every request once: in counters, and as a line of the log.

This runs for every request, so its cost is measured: about 6 us with the log enabled. Log lines are written
in batches, a moment later; the counters are plain numbers that `metrics` reads on demand.
"""

import asyncio
import itertools
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from dvidpc.counters import TALLY, Histogram, Tally
from dvidpc.http.aiohttp_internals import bytes_sent
from dvidpc.log.requests import RequestLine, RequestLines

log = logging.getLogger(__name__)

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
FLUSH_AFTER_S: Final = 0.1
"""How long a line may wait in the batch."""
MOST_LINES: Final = 500
"""Lines in a batch, at most."""
NO_ENDPOINT: Final = "none"
"""The endpoint that requests for unknown paths are counted under."""

_SHOWN = 120
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_GIVEN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@dataclass(slots=True)
class RequestCounts:
    """Counters of the requests with one endpoint and status."""

    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    nbytes: int = 0
    """Bytes sent."""
    blocks: int = 0
    """Blocks requested."""
    omitted: int = 0
    """Blocks omitted from responses because they could not be read."""


class AccessLog:
    """Logs and counts the requests of this process.

    Args:
        is_endpoint: Says whether instances have an endpoint of that name: the first part of the path below an
            instance. Other paths count as NO_ENDPOINT, so that clients cannot create counters by inventing
            names.
    """

    def __init__(self, is_endpoint: Callable[[str], bool]) -> None:
        self.requests: Final[dict[tuple[str, str], RequestCounts]] = {}
        """By endpoint and status, as in RequestLine."""
        self.in_flight = 0
        self._is_endpoint = is_endpoint
        self._endpoints: set[str] = set()  # seen so far
        self._lines = RequestLines()
        self._flush: asyncio.TimerHandle | None = None
        self._prefix = secrets.token_hex(2)
        self._numbers = itertools.count(1)

    def begin(self, request: web.Request) -> Tally:
        """Record that a request has arrived, and return the tally that the current task counts into.

        The request's id is its `X-Request-Id` header, as set by a proxy, or else a new one.
        """
        self.in_flight += 1
        given = request.headers.get("X-Request-Id")
        if given is None or not _GIVEN_ID.fullmatch(given):
            given = f"{self._prefix}-{next(self._numbers):x}"
        tally = Tally(given)
        TALLY.set(tally)
        return tally

    def end(
        self,
        request: web.Request,
        tally: Tally,
        response: web.StreamResponse | None,
        started: float,
    ) -> None:
        """Record that *request* has ended.

        Args:
            request: The request.
            tally: What `begin` returned for it.
            response: Its response; None if the client disconnected before there was one.
            started: When it arrived, by `time.perf_counter`.
        """
        self.in_flight -= 1
        elapsed_s = time.perf_counter() - started
        endpoint = self.endpoint_of(request)
        status = "left" if response is None else tally.ending or str(response.status)
        nbytes = _bytes_of(request, response)
        counts = self.requests.get((endpoint, status))
        if counts is None:
            counts = self.requests[endpoint, status] = RequestCounts()
        counts.seconds.observe(elapsed_s)
        counts.nbytes += nbytes
        counts.blocks += tally.blocks
        counts.omitted += tally.omitted
        if not log.isEnabledFor(logging.INFO):
            return
        match, query, method = request.match_info, request.query, request.method
        self._write(
            RequestLine(
                time.time(),
                tally.request_id,
                request.remote or "-",
                method if method in _METHODS else "OTHER",
                endpoint,
                match.get("data", "")[:_SHOWN],
                (match.get("call") or request.path)[:_SHOWN],
                status,
                elapsed_s * 1000,
                tally.blocks,
                tally.omitted,
                nbytes,
                tally.upstream,
                tally.hits,
                tally.disk,
                query.get("app", "")[:_SHOWN],
                query.get("u", "")[:_SHOWN],
            )
        )

    def endpoint_of(self, request: web.Request) -> str:
        """Return the endpoint of the instance, or the path of the route; the set of results is fixed."""
        call = request.match_info.get("call")
        if call is not None:
            name = call.partition("/")[0]
            if name in self._endpoints:
                return name
            if not self._is_endpoint(name):
                return NO_ENDPOINT
            self._endpoints.add(name)
            return name
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        if not path or path.endswith("{path}"):
            return NO_ENDPOINT
        return path.rstrip("/") or "/"

    def flush(self) -> None:
        """Write the lines of the batch."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._lines:
            lines, self._lines = self._lines, RequestLines()
            log.info(lines)

    def _write(self, line: RequestLine) -> None:
        self._lines.append(line)
        if len(self._lines) >= MOST_LINES:
            self.flush()
        elif self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)


def _bytes_of(request: web.Request, response: web.StreamResponse | None) -> int:
    """Return the size of a response: the bytes written so far if it is streamed, else its content length."""
    if response is None or response.prepared:
        return bytes_sent(request)
    if request.method == "HEAD":
        return 0
    return response.content_length or 0
