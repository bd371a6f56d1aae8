"""Hooks and fixtures for all tests.

* In CI a skipped test is a failure.
* The event loop is the one that `dvidpc serve` uses.
* Each test that starts a server, another process or a browser gets the marker `server` when it is collected.
  `tests/selection.py` recognises such tests by their code. `make quick` runs the others, `-m "not server"`.
"""

import asyncio
import os
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType

import pytest
import uvloop

from tests.selection import starts_something
from tests.volumes import VolumeSpec, write_volume


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if CI=true: nothing else would test with the program that is missing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the loop that all tests run on: our code must not depend on details of asyncio's own loop."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the marker `server` to the tests that need it."""
    plugins = [one for one in config.pluginmanager.get_plugins() if isinstance(one, ModuleType)]
    shared = [vars(one) for one in plugins if one.__name__.startswith("tests.")]
    for item in items:
        assert isinstance(item, pytest.Function)
        classes = item.cls.__mro__ if item.cls else ()
        spaces = [*shared, *(vars(one) for one in (item.module, *classes))]
        fixtures = [space[name] for name in item.fixturenames for space in spaces if name in space]
        if starts_something([item.function, *fixtures], item.cls):
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume of 3 x 3 x 2 chunks and two scales, one chunk of it a hole."""
    directory = tmp_path_factory.mktemp("volume") / "em"
    write_volume(directory, VolumeSpec(encoding="jpeg", holes=((2, 2, 1),), scale_levels=2))
    return directory
