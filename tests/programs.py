"""Programs that tests need and that pip cannot install."""

import shutil

import pytest


def find(program: str, package: str) -> str:
    """Return the path of *program*; end the script with a message if it is missing."""
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"{program} is not there: install the Debian package {package}")
    return path


def need(program: str, package: str) -> str:
    """Return the path of *program*; skip the test if it is missing. In CI a skip is a failure."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not there: install the Debian package {package}")
    return path
