"""The name of a format in a `ref`, before or behind the URL, as neuroglancer and TensorStore write it.

`zarr://URL` and `URL/|zarr3:path/` are the forms. What follows the name is a path below the URL, and for zarr
perhaps `#dimension_separator=/`.  (neuroglancer src/datasource/*, src/kvstore: "URL pipelines")
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dvidpc.errors import ConfigError

PRECOMPUTED: Final = "ngprecomputed"
ZARR: Final = "zarr"
N5: Final = "n5"
"""Values of a store's `engine`: one for each format."""

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {PRECOMPUTED: "neuroglancer precomputed", ZARR: "zarr", N5: "N5"}
)
"""What people call the formats, by engine."""
_FORMATS: Final[Mapping[str, tuple[str, int | None]]] = MappingProxyType(
    {
        "precomputed": (PRECOMPUTED, None),
        "neuroglancer-precomputed": (PRECOMPUTED, None),
        "zarr": (ZARR, None),
        "zarr2": (ZARR, 2),
        "zarr3": (ZARR, 3),
        "n5": (N5, None),
    }
)
"""The formats by the names that other programs give them: the engine, and the version that is demanded."""
_PIPE: Final = re.compile(r"([a-z0-9-]+):?(.*)", re.DOTALL)
_FRAGMENT: Final = re.compile(r"dimension_separator=([./])")
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """The format that a `ref` names."""

    name: str
    """As it is written: `zarr3`, ..."""
    engine: str
    """The store's `engine` for it."""
    version: int | None = None
    """The version of zarr that the name demands; None: any."""
    dimension_separator: str | None = None
    """What the ref says of the names of chunks; None: nothing."""


def split_format(text: str) -> tuple[str, NamedFormat | None]:
    """Return the place that a ref names, and its format; None if it names no format.

    A path behind the format's name is a part of the place.

    Raises:
        ConfigError: The format is not read here, or two are named.
    """
    place, pipe, behind = text.partition("|")
    name, separator, rest = place.partition("://")
    found = None
    if separator and name in _FORMATS:
        place, fragment = _split_fragment(rest)
        found = _make(name, fragment)
    if not pipe:
        return place, found
    match = _PIPE.fullmatch(behind)
    if match is None or match[1] not in _FORMATS:
        raise ConfigError(_refusal(text, behind))
    path, fragment = _split_fragment(match[2])
    named = _make(match[1], fragment)
    if found is not None and found.engine != named.engine:
        raise ConfigError(f"{_show(text)} names two formats: {found.name} and {named.name}; remove one")
    if path := path.lstrip("/"):
        place = f"{place.removesuffix('/')}/{path}"
    return place, named


def strip_format(text: str) -> str:
    """Return the URL of a precomputed volume without the name of the format before or behind it.

    Raises:
        ConfigError: It names another format.
    """
    place, named = split_format(text)
    if named is not None and named.engine != PRECOMPUTED:
        raise ConfigError(
            f"{_show(text)} is of another format; only |neuroglancer-precomputed: may follow '|'"
        )
    return place


def _make(name: str, fragment: str) -> NamedFormat:
    engine, version = _FORMATS[name]
    if not fragment:
        return NamedFormat(name, engine, version)
    match = _FRAGMENT.fullmatch(fragment)
    if match is None or engine != ZARR:
        raise ConfigError(
            f"{_show(f'#{fragment}')} is not understood; only #dimension_separator=/ of zarr is"
        )
    return NamedFormat(name, engine, version, match[1])


def _split_fragment(text: str) -> tuple[str, str]:
    """Return a text without the fragment that only zarr has, and that fragment; others stay in the text."""
    place, _, fragment = text.partition("#")
    return (place, fragment) if fragment.startswith("dimension_separator=") else (text, "")


def _refusal(text: str, behind: str) -> str:
    name = behind.partition(":")[0]
    if name in {"zip", "ocdbt", "icechunk", "gzip"}:
        return f"{_show(text)} goes through |{name}:, which is not read here; unpack it into a directory"
    return (
        f"{_show(text)} is of another format; only |neuroglancer-precomputed:, |zarr:, |zarr2:, |zarr3: and "
        "|n5: may follow '|'"
    )


def _show(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
