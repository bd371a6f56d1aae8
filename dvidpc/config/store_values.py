"""Kinds of values that only the stores of volumes have."""

import re

from dvidpc.config.values import BadValueError, Kind, choice, describe, refuse_stray_characters
from dvidpc.errors import ConfigError
from dvidpc.storage.ref import Ref, parse_ref_of_any_format
from dvidpc.storage.ref_formats import N5, PRECOMPUTED, ZARR

ENGINES = (PRECOMPUTED, ZARR, N5)
"""The formats of volumes that are served."""
RESERVED_NAMES = frozenset({"log", "branch", "note", "commit", "newversion", "status", "tag"})
"""Words that DVID's node routes use where the name of an instance would be."""
_MOST_BLOCK_SIZE = 1024
_MOST_SCALE = 999
_RETRY_LATER = frozenset({408, 429})
"""4xx statuses that ask the client to retry, so they never mean that an object is missing."""


def parse_location(value: object) -> Ref:
    """Parse a `ref` or a `root`, with the reasons of `parse_ref_of_any_format` where it is wrong."""
    if not isinstance(value, str) or not value:
        raise BadValueError
    try:
        return parse_ref_of_any_format(refuse_stray_characters(value))
    except ConfigError as e:
        raise BadValueError(str(e)) from None


_NAME = re.compile(r"[^\s/?#%\\]+")


def parse_instance(value: object) -> str:
    """Parse a data name; it must fit into a URL and must not hide one of DVID's routes."""
    if not isinstance(value, str):
        raise BadValueError
    if not value:
        raise BadValueError("an instance needs a name")
    if not _NAME.fullmatch(value) or not value.isprintable() or value in {".", ".."}:
        raise BadValueError(f"{describe(value)} cannot be part of a URL path (no spaces, none of / ? # % \\)")
    if value in RESERVED_NAMES:
        raise BadValueError(f'"{value}" is reserved: it is part of DVID\'s own routes')
    return value


def parse_block_size(value: object) -> int | None:
    """Parse the side of a block in voxels; None: the volume's chunk size."""
    if value == "chunk":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_BLOCK_SIZE:
        raise BadValueError
    return value


def parse_missing_status(value: object) -> frozenset[int]:
    """Parse the HTTP statuses that mean "no such object"; 404 must be one of them."""
    if not isinstance(value, list):
        raise BadValueError
    for status in value:
        if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status <= 499:
            raise BadValueError(f"expected statuses from 400 to 499, got {describe(status)}")
        if status in _RETRY_LATER:
            raise BadValueError(f"{status} asks for a retry, it never means that an object is missing")
    if 404 not in value:
        raise BadValueError("404 is not in the list, and always means that an object is missing")
    return frozenset(value)


def parse_skip_scales(value: object) -> frozenset[int]:
    """Parse the positions of scales to leave out; whether the volume has them is seen when it is opened."""
    if not isinstance(value, list):
        raise BadValueError
    for level in value:
        if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= _MOST_SCALE:
            raise BadValueError(
                f"expected scales as whole numbers from 0, the first of the info, got {describe(level)}"
            )
    return frozenset(value)


def parse_path_style(value: object) -> bool | None:
    """Parse whether the bucket's name goes into the path of URLs; None: decided by the service."""
    if value == "auto":
        return None
    if not isinstance(value, bool):
        raise BadValueError
    return value


ENGINE = choice(*ENGINES)
REF = Kind("a string with the volume's location", '"s3://mybucket/sample1/image_aligned/"', parse_location)
ROOT = Kind(
    "a string with a location that contains the volume",
    '"s3://mybucket/public"',
    lambda value: parse_location(value) if value != "" else None,
)
LABEL_INDEX = Kind(
    "a string with the location of a label index",
    '"s3://mybucket/sample1/labels.index"',
    lambda value: parse_location(value) if value != "" else None,
)
INSTANCE = Kind("a string", '"sample1"', parse_instance)
BLOCK_SIZE = Kind(f'an integer from 1 to {_MOST_BLOCK_SIZE} or "chunk"', "64", parse_block_size)
LABEL_TYPE = choice("labelmap", "labelblk", "both")
MISSING_STATUS = Kind("an array of HTTP statuses", "[403, 404]", parse_missing_status)
SKIP_SCALES = Kind("an array of scales", "[0]", parse_skip_scales)
PATH_STYLE = Kind('true, false or "auto"', "true", parse_path_style)
