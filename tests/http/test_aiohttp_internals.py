"""The undocumented members of aiohttp that `http.aiohttp_internals` lists have not changed."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import http_parser, web, web_protocol
from aiohttp.abc import AbstractStreamWriter
from aiohttp.base_protocol import BaseProtocol
from aiohttp.web_protocol import RequestHandler

from dvidpc.http import aiohttp_internals
from dvidpc.http.aiohttp_internals import (
    ObservableConnection,
    SentResponse,
    check_parser,
)
from tests.serving import config_text

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
NEWER = "aiohttp has changed: read the new code, then update http/aiohttp_internals.py and this test"


def test_the_version_that_was_read_is_installed_and_the_next_minor_one_excluded() -> None:
    read = re.search(r"read in aiohttp (\d+)\.(\d+)\.\d+", aiohttp_internals.__doc__ or "")
    assert read is not None
    major, minor = map(int, read.groups())
    assert aiohttp.__version__.startswith(f"{major}.{minor}."), NEWER
    oldest = ".".join(map(str, aiohttp_internals.OLDEST))
    assert f'"aiohttp>={oldest},<{major}.{minor + 1}"' in PYPROJECT.read_text()


def slots_of(kind: type) -> set[str]:
    return {slot for base in kind.__mro__ for slot in getattr(base, "__slots__", ())}


@pytest.mark.parametrize("slot", ["_loop", "_messages", "_current_request", "_waiter", "transport"])
def test_a_connection_has_the_slots_that_are_read(slot: str) -> None:
    assert slot in slots_of(RequestHandler), NEWER


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


SIGNATURES: list[tuple[Callable[..., object], list[str]]] = [
    (BaseProtocol.connection_made, ["self", "transport"]),
    (RequestHandler.connection_made, ["self", "transport"]),
    (RequestHandler.data_received, ["self", "data"]),
    (RequestHandler.log_exception, ["self", "args", "kw"]),
    (RequestHandler.handle_error, ["self", "request", "status", "exc", "message"]),
    (web.Server.__call__, ["self"]),
    (vars(web.AppRunner)["_make_server"], ["self"]),
    (vars(web.BaseRequest)["_prepare_hook"], ["self", "response"]),
    (web.BaseRequest.__init__, ["self", "message", "payload", "protocol", "payload_writer", "task", "loop"]),
    (web.StreamResponse.prepare, ["self", "request"]),
    (web.StreamResponse.write_eof, ["self", "data"]),
]


@pytest.mark.parametrize(("function", "names"), SIGNATURES, ids=lambda one: getattr(one, "__qualname__", ""))
def test_signatures_are_those_that_are_overridden_and_called(
    function: Callable[..., object], names: list[str]
) -> None:
    found = parameters(function)
    assert found[: len(names)] == names, NEWER
    extra = list(inspect.signature(function).parameters.values())[len(names) :]
    assert all(one.default is not one.empty for one in extra), NEWER


async def test_a_server_makes_connections_from_its_loop_and_keyword_arguments() -> None:
    server = web.Server(answer, keepalive_timeout=7.0)
    assert vars(server).keys() >= {"_loop", "_kwargs", "request_factory"}, NEWER
    assert vars(server)["_kwargs"] == {"keepalive_timeout": 7.0}
    assert parameters(server.request_factory) == ["message", "payload", "protocol", "writer", "task"], NEWER
    assert server.connections == []


async def answer(_request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="well")


def test_the_stand_in_for_unparsed_messages_is_one_that_no_parser_makes() -> None:
    assert isinstance(web_protocol.ERROR, http_parser.RawRequestMessage), NEWER
    assert web_protocol.ERROR.method == "UNKNOWN"
    assert "message = ERROR" in inspect.getsource(RequestHandler.start), NEWER


def test_a_writer_counts_the_bytes_it_has_written() -> None:
    assert AbstractStreamWriter.output_size == 0, NEWER
    assert "output_size" in inspect.getsource(RequestHandler.handle_error), NEWER


def test_a_connection_asks_no_more_of_a_response_than_a_sent_response_answers() -> None:
    source = inspect.getsource(RequestHandler.start) + inspect.getsource(RequestHandler.finish_response)
    asked = set(re.findall(r"\bresp\.(\w+)", source))
    assert asked <= {"prepare", "write_eof", "keep_alive"}, NEWER
    assert asked <= vars(SentResponse).keys()


def test_the_state_of_a_connection_is_read_where_aiohttp_keeps_it() -> None:
    source = inspect.getsource(RequestHandler)
    for line in (
        "self._messages.append(",
        "self._messages.popleft()",
        "self._current_request = request",
        "self._current_request = None",
        "self._waiter = loop.create_future()",
        "self._waiter = None",
    ):
        assert line in source, NEWER


async def test_a_new_connection_has_no_request() -> None:
    server = web.Server(answer)
    connection = ObservableConnection(server, loop=vars(server)["_loop"])
    assert not connection.has_request
    assert not connection.awaits_request
    assert connection.now > 0


def test_aiohttp_parses_in_c() -> None:
    check_parser()


def test_an_aiohttp_that_does_not_parse_in_c_is_refused(volume: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config_text({"em": volume}, '[server]\nhttpAddress = "localhost:0"\n'))
    result = subprocess.run(
        [sys.executable, "-m", "dvidpc", "serve", config],
        env={**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "runs without its parser in C" in result.stderr
    assert "Traceback" not in result.stderr
