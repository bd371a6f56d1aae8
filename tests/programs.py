"""Programs that tests need and pip cannot install."""

import shutil

import pytest


def find(program: str, package: str) -> str:
    """The path of *program*, for a script."""
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"{program} is not there: install the Debian package {package}")
    return path


def need(program: str, package: str) -> str:
    """The path of *program*; the test is skipped without it, which is a failure in CI (see conftest)."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not there: install the Debian package {package}")
    return path
