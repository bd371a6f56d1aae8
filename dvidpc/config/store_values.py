"""What a value of an ngprecomputed store may be, beyond the general kinds."""

import re

from dvidpc.config.values import NO_USER, BadValueError, Kind, describe

RESERVED_NAMES = frozenset({"log", "branch", "note", "commit", "newversion", "status", "tag"})
"""Words that DVID's node routes use where an instance's name would stand."""
_SCHEMES = ("s3", "gs", "vast", "http", "https", "file")
_NEAR_SCHEMES = {"gcs": "gs", "s3a": "s3", "s3n": "s3"}
_MOST_BLOCK_SIZE = 1024
_NEVER_MISSING = frozenset({408, 429})
"""Statuses of the 4xx that say "later", not "no"."""


def parse_ref(value: object) -> str:
    """Where the volume lies; a first look, as `storage` takes it apart when the store is opened."""
    if not isinstance(value, str) or not value or not value.isprintable() or value != value.strip():
        raise BadValueError
    scheme, separator, rest = value.partition("://")
    if not separator:
        return _parse_plain_ref(value)
    if scheme not in _SCHEMES:
        known = ", ".join(f"{one}://" for one in _SCHEMES)
        likely = _NEAR_SCHEMES.get(scheme.lower(), scheme.lower())
        hint = f', did you mean "{likely}://"?' if likely in _SCHEMES else ""
        raise BadValueError(f'unknown service "{scheme[:20]}://", known are {known}{hint}')
    if scheme in {"http", "https"} and "@" in rest.partition("/")[0]:
        raise BadValueError(NO_USER)
    if scheme == "file":
        rest = rest.removeprefix("localhost")
    if not rest.strip("/") or rest.startswith("/") != (scheme == "file"):
        raise BadValueError(
            f'"{scheme}://" is not followed by {"/ and a path" if scheme == "file" else "a name"}'
        )
    return value


def _parse_plain_ref(value: str) -> str:
    """`bucket/prefix`, which is GCS as in DVID, or an absolute path."""
    if value.startswith((".", "~")):
        raise BadValueError(f"{describe(value)} is a relative path, and only an absolute one is taken")
    if not value.startswith("/") and ("//" in value or ":" in value.partition("/")[0]):
        raise BadValueError(f"{describe(value)} is neither a URL, an absolute path nor a bucket/prefix")
    return value


_NAME = re.compile(r"[^\s/?#%\\]+")


def parse_instance(value: object) -> str:
    """A data name that can stand in a URL and does not hide a route."""
    if not isinstance(value, str):
        raise BadValueError
    if not value:
        raise BadValueError("an instance needs a name")
    if not _NAME.fullmatch(value) or not value.isprintable() or value in {".", ".."}:
        raise BadValueError(f"{describe(value)} cannot stand in a URL (no spaces, none of / ? # % \\)")
    if value in RESERVED_NAMES:
        raise BadValueError(f'"{value}" is a word of DVID\'s own routes')
    return value


def parse_block_size(value: object) -> int | None:
    """The side of a block in voxels; None: as the volume's chunks."""
    if value == "chunk":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_BLOCK_SIZE:
        raise BadValueError
    return value


def parse_missing_status(value: object) -> frozenset[int]:
    """HTTP statuses that mean "no such object"; 404 is always one."""
    if not isinstance(value, list):
        raise BadValueError
    for status in value:
        if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status <= 499:
            raise BadValueError(f"expected statuses from 400 to 499, got {describe(status)}")
        if status in _NEVER_MISSING:
            raise BadValueError(f'{status} says "later", never that an object is missing')
    if 404 not in value:
        raise BadValueError("404 always means that an object is missing")
    return frozenset(value)


def parse_path_style(value: object) -> bool | None:
    """Whether the bucket's name stands in the path; None: as the service needs it."""
    if value == "auto":
        return None
    if not isinstance(value, bool):
        raise BadValueError
    return value


ENGINE = Kind('"ngprecomputed"', '"ngprecomputed"', str)
REF = Kind("a string that says where the volume lies", '"s3://mybucket/sample1/image_aligned/"', parse_ref)
ROOT = Kind(
    "a string that says below what the volume lies",
    '"s3://mybucket/public"',
    lambda value: parse_ref(value) if value != "" else None,
)
INSTANCE = Kind("a string", '"sample1"', parse_instance)
BLOCK_SIZE = Kind(f'an integer from 1 to {_MOST_BLOCK_SIZE} or "chunk"', "64", parse_block_size)
MISSING_STATUS = Kind("an array of HTTP statuses", "[403, 404]", parse_missing_status)
PATH_STYLE = Kind('true, false or "auto"', "true", parse_path_style)
