"""Where the keys of metadata lead: relative to the volume's directory, but never out of its store."""

import posixpath

from dvidpc.errors import FormatError


def resolve_key(directory: str, key: str) -> str:
    """Return *key*, which is relative to *directory*, as the store knows it.

    Raises:
        FormatError: It leads out of the store.
    """
    path = posixpath.normpath(posixpath.join(directory, key))
    if path == ".." or path.startswith(("../", "/")):
        raise FormatError("leads out of the bucket or root")
    return "" if path == "." else path
