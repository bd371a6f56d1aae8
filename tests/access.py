"""How a test names a directory or URL that it reads."""

from pathlib import Path

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref


def access_to(place: Path | str) -> BucketAccess:
    """Access to a place, without credentials."""
    return BucketAccess(parse_ref(str(place)), anonymous=True)
