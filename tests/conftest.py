"""What holds for all tests: in CI nothing is skipped; the event loop is that of `dvidpc serve`."""

import asyncio
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import uvloop

from tests.volumes import VolumeSpec, write_volume


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skip a failure where CI=true: a program that is missing there is one that nobody tests with."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of all tests: code of ours that runs on it must not lean on what is asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume of 3 x 3 x 2 chunks and two scales, one chunk of it a hole."""
    directory = tmp_path_factory.mktemp("volume") / "em"
    write_volume(directory, VolumeSpec(encoding="jpeg", holes=((2, 2, 1),), scale_levels=2))
    return directory
