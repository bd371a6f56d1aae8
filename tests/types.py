"""Values that several tests share."""

from typing import NamedTuple


class Request(NamedTuple):
    """A GET with a body, which is empty for most."""

    path: str
    """Below the instance."""
    body: str = ""
