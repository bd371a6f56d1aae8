"""What the JSON documents beside a volume have in common: those of meshes, skeletons and properties."""

from typing import Any

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info_values import read_member, word

MAX_SIDE_INFO_SIZE = 2**20
"""Size limit in bytes of the `info` of a mesh or skeleton directory; real ones have a few hundred."""


def decode_document(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*.

    Raises:
        FormatError: *data* is not JSON, or not an object.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise FormatError("is not a JSON object")
    return document


def expect_type(document: dict[str, Any], kind: str) -> None:
    """Check the document's `@type`.

    Raises:
        FormatError: It is not *kind*.
    """
    found = read_member(document, "@type", word)
    if found != kind:
        raise FormatError(f"@type is {found[:60]!r}, not {kind!r}")
