"""Access to a directory or URL without credentials."""

from pathlib import Path

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref


def access_to(place: Path | str) -> BucketAccess:
    """Return access to a directory or URL, without credentials."""
    return BucketAccess(parse_ref(str(place)), anonymous=True)
