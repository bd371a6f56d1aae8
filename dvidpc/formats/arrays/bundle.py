"""The documents that describe a group of arrays, together and as one run of bytes."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from dvidpc.errors import FormatError

Documents: TypeAlias = Mapping[str, bytes | None]
"""Documents by their name relative to the directory that is served: `.zattrs`, `0/.zarray`,
`../attributes.json`. None: it was read, and it is not there."""

MAX_DOCUMENT_SIZE: Final = 16 * 2**20
"""Size limit of a document in bytes; real ones have a few thousand."""
_MAX_DIGITS: Final = 40
METADATA_NAMES: Final = frozenset(
    {".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json", "attributes.json"}
)
"""Names of objects that are documents and not chunks, in whichever directory of a group they lie."""


def encode_bundle(documents: Documents) -> bytes:
    """Return the documents as one run of bytes: equal documents make equal bytes."""
    texts = {name: None if data is None else data.decode("latin-1") for name, data in documents.items()}
    return json.dumps(texts, sort_keys=True, separators=(",", ":")).encode()


def decode_bundle(data: bytes) -> Documents:
    """Return the documents that `encode_bundle` made *data* of."""
    return {name: None if text is None else text.encode("latin-1") for name, text in json.loads(data).items()}


def parse_document(data: bytes) -> dict[str, Any]:
    """Return the JSON object in a document; `NaN` and `Infinity` are numbers, as Python's writers put them.

    Raises:
        FormatError: It is not JSON, or not an object.
    """
    try:
        document = json.loads(data, parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise FormatError("is not a JSON object")
    return document


def _parse_int(digits: str) -> int | float:
    """Return an integer; one of absurdly many digits as a float, which no reader of values takes for one."""
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def document_at(documents: Documents, name: str) -> dict[str, Any]:
    """Return the JSON object called *name*; an empty one if it is not there.

    Raises:
        FormatError: It is malformed; the message names it.
    """
    data = documents.get(name)
    if data is None:
        return {}
    try:
        return parse_document(data)
    except FormatError as error:
        raise FormatError(f"{name} {error}") from None
