"""Restore the process's logging after every test of the log."""

from collections.abc import Iterator

import pytest

from tests.logged import restored_logging


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    with restored_logging():
        yield
