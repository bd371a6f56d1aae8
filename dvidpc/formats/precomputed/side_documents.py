"""What the JSON documents beside a volume have in common: those of meshes, skeletons and properties."""

import codecs
import json
from typing import Any

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.foreign_bytes import explain_foreign
from dvidpc.formats.precomputed.info_values import read_member, word

MAX_SIDE_INFO_SIZE = 2**20
"""Size limit in bytes of the `info` of a mesh or skeleton directory; real ones have a few hundred."""


_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Byte order marks, which editors and shells of Windows write."""


def decode_document(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*.

    Raises:
        FormatError: *data* is not JSON, or not an object.
    """
    try:
        document = msgspec.json.decode(_without_mark(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}{explain_foreign(data)}") from error
    if not isinstance(document, dict):
        raise FormatError("is not a JSON object")
    return document


def _without_mark(data: bytes) -> bytes:
    """Return a JSON document as UTF-8 without a byte order mark."""
    return data.decode(json.detect_encoding(data)).encode() if data.startswith(_MARKS) else data


def expect_type(document: dict[str, Any], kind: str) -> None:
    """Check the document's `@type`.

    Raises:
        FormatError: It is not *kind*.
    """
    found = read_member(document, "@type", word)
    if found != kind:
        raise FormatError(f"@type is {found[:60]!r}, not {kind!r}")
