"""`make quick` leaves out exactly the tests that start something."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.selection import starts_something
from tests.serving import UUID, config_text, serving


def run_program() -> None:
    subprocess.run([sys.executable, "--version"], check=True)


def call_helper() -> None:
    def inner() -> None:
        run_program()

    inner()


async def open_server() -> None:
    async with serving("", Path()):
        pass


async def open_server_of_a_module() -> None:
    with servers.run_s3_server():
        pass


def only_name_the_server() -> str:
    return config_text({"em": UUID})


async def only_use_the_event_loop() -> None:
    await asyncio.sleep(0)


class Case:
    def helper(self) -> None:
        run_program()

    def test(self) -> None:
        self.helper()


@pytest.fixture
def started() -> None:
    run_program()


@pytest.mark.parametrize(
    "function", [run_program, call_helper, open_server, open_server_of_a_module, started, Case]
)
def test_starting_something_is_found_through_helpers(function: object) -> None:
    assert starts_something([function])


@pytest.mark.parametrize("function", [only_name_the_server, only_use_the_event_loop])
def test_importing_a_helper_module_is_not_starting_something(function: object) -> None:
    assert not starts_something([function])


def test_methods_are_looked_up_in_the_test_class() -> None:
    assert starts_something([Case.test], Case)


def test_marks_are_set(request: pytest.FixtureRequest) -> None:
    """This very test starts nothing."""
    assert request.node.get_closest_marker("server") is None
