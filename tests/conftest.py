"""What holds for all tests: in CI nothing is skipped; the event loop is that of `dvidpc serve`."""

import asyncio
import os
from collections.abc import Callable, Generator

import pytest
import uvloop


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
