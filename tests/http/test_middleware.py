"""Whatever a handler raises becomes a response, and every request is counted."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import pytest
from aiohttp import ClientConnectionError, web
from aiohttp.test_utils import TestClient, TestServer

from dvidpc.errors import DvidpcError, FormatError, RequestError
from dvidpc.http.access_log import AccessLog
from dvidpc.http.middleware import make_middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Outcome:
    """The response to one request, and what the middleware did besides."""

    def __init__(self, access_log: AccessLog) -> None:
        self.access_log = access_log
        self.rooms_made = 0
        self.status = 0
        self.text = ""
        self.headers: Mapping[str, str] = {}

    def make_room(self) -> None:
        """Count the call."""
        self.rooms_made += 1

    @property
    def statuses(self) -> list[str]:
        """The statuses that were counted."""
        return [
            status for (_, status), counts in self.access_log.requests.items() if sum(counts.seconds.counts)
        ]


async def outcome_of(handler: Handler, method: str = "GET", path: str = "/x?q=1") -> Outcome:
    outcome = Outcome(AccessLog(lambda _name: False))
    app = web.Application(middlewares=[make_middleware(outcome.access_log, outcome.make_room)])
    app.router.add_get("/x", handler)
    async with TestClient(TestServer(app)) as client, client.request(method, path) as response:
        outcome.status, outcome.text = response.status, await response.text()
        outcome.headers = response.headers
    outcome.access_log.flush()
    assert outcome.access_log.in_flight == 0
    return outcome


def raising(error: BaseException) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    return handler


async def well(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="well")


async def test_a_good_response_is_passed_on_and_counted() -> None:
    outcome = await outcome_of(well)
    assert (outcome.status, outcome.text, outcome.statuses) == (200, "well", ["200"])
    assert "X-Request-Id" not in outcome.headers


@pytest.mark.parametrize(
    ("error", "status", "logged"), [(RequestError("x"), 400, 0), (FormatError("x"), 502, 1)]
)
async def test_our_errors_are_answered_and_logged_only_if_they_are_not_the_clients(
    error: DvidpcError, status: int, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "dvidpc")
    outcome = await outcome_of(raising(error))
    assert (outcome.status, outcome.text, outcome.statuses) == (status, "x (/x).\n", [str(status)])
    assert len(caplog.records) == logged
    for record in caplog.records:
        assert record.getMessage() == f"request failed: {outcome.headers['X-Request-Id']} /x: x"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("POST", "/x")])
async def test_unknown_paths_and_methods_have_dvids_404(method: str, path: str) -> None:
    outcome = await outcome_of(well, method, path)
    assert (outcome.status, outcome.text, outcome.statuses) == (404, "404 page not found\n", ["404"])


async def test_other_http_exceptions_are_answered_as_they_are() -> None:
    outcome = await outcome_of(raising(web.HTTPGone(text="gone")))
    assert (outcome.status, outcome.text) == (410, "gone")


async def test_a_handler_out_of_memory_makes_room_and_asks_to_retry(caplog: pytest.LogCaptureFixture) -> None:
    outcome = await outcome_of(raising(MemoryError()))
    assert (outcome.status, outcome.text) == (503, "out of memory; try again soon (/x).\n")
    assert (outcome.rooms_made, outcome.headers["Retry-After"]) == (1, "2")
    assert "/x: out of memory" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_bug_is_a_500_without_its_details_and_a_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcome = await outcome_of(raising(KeyError("a secret")))
    assert (outcome.status, outcome.text, outcome.statuses) == (500, "internal error (/x).\n", ["500"])
    assert "this is a bug in dvidpc" in caplog.text
    assert "Traceback" in caplog.text
    assert outcome.rooms_made == 0


async def leave(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


async def test_a_client_that_disconnects_is_counted_as_left() -> None:
    outcome = Outcome(AccessLog(lambda _name: False))
    app = web.Application(middlewares=[make_middleware(outcome.access_log, outcome.make_room)])
    app.router.add_get("/x", leave)
    async with TestClient(TestServer(app)) as client:
        with pytest.raises(ClientConnectionError):
            await client.get("/x")
    outcome.access_log.flush()
    assert outcome.statuses == ["left"]
