"""Volumes as the command line names them: a URL or a directory, and the name to serve each under."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from dvidpc.config.store_values import RESERVED_NAMES, parse_instance
from dvidpc.config.values import BadValueError
from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line
from dvidpc.storage.ref import METADATA_FILES, Ref, parse_ref_of_any_format

_UNFIT: Final = re.compile(r"[\s/?#%\\]+")
"""What a data name cannot hold."""
_FALLBACK: Final = "volume"


@dataclass(frozen=True, slots=True)
class NamedVolume:
    """A volume that the command line names."""

    argument: str
    """As it was typed."""
    ref: Ref
    instance: str
    """The data name of its finest scale."""
    anonymous: bool
    """Whether it is read without credentials, and may be read by every web page."""


def is_config_file(argument: str) -> bool:
    """Return whether an argument names a configuration file, which need not exist if it ends in `.toml`.

    It may also be a pipe. A file that describes a volume, such as `info` or `zarr.json`, is not one.
    """
    path = Path(argument)
    if "://" in argument or path.name in METADATA_FILES:
        return False
    return path.suffix == ".toml" or (path.exists() and not path.is_dir())


def name_volumes(arguments: Sequence[str], names: Sequence[str], *, anonymous: bool) -> list[NamedVolume]:
    """Return the volumes that *arguments* name.

    Args:
        arguments: URLs, or paths of directories.
        names: Data names, for the first arguments; the others are named after the last part of their place.
        anonymous: Whether they are read without credentials.

    Raises:
        ConfigError: An argument names no place, or a name cannot be one; the message says what to write.
    """
    if len(names) > len(arguments):
        raise ConfigError(
            f"--name is given {len(names)} times for {len(arguments)} volumes; give it once for each"
        )
    for name in names:
        _check_name(name)
    refs = [parse_argument(argument) for argument in arguments]
    taken: list[str] = list(names)
    for ref in refs[len(names) :]:
        taken.append(_distinct(derive_name(ref), taken))
    return [
        NamedVolume(argument, ref, name, anonymous)
        for argument, ref, name in zip(arguments, refs, taken, strict=True)
    ]


def parse_argument(argument: str) -> Ref:
    """Return the place that an argument names: a URL, or a directory or the file that describes it.

    Raises:
        ConfigError: It is neither.
    """
    try:
        if "://" in argument:
            return parse_ref_of_any_format(argument)
        path = Path(argument).expanduser().absolute()
        if argument and path.is_dir():
            return parse_ref_of_any_format(f"{path.resolve().as_uri()}/")
        if path.name in METADATA_FILES and path.is_file():
            return parse_ref_of_any_format(f"{path.parent.resolve().as_uri()}/")
    except ConfigError as error:
        raise ConfigError(one_line(f"{argument}: {error}")) from None
    except (ValueError, RuntimeError):  # a NUL character, or a user without a home
        pass
    raise ConfigError(
        one_line(
            f"{argument}: there is no such file or directory; name a configuration file, the directory of a "
            "volume, or a URL such as s3://bucket/volume, gs://bucket/volume or https://host/volume"
        )
    )


def derive_name(ref: Ref) -> str:
    """Return a data name for the volume at *ref*: the last part of its place that can be one."""
    host = urlsplit(ref.endpoint or "").hostname or ""
    places = (unquote(posixpath.basename(ref.prefix)), ref.bucket, host)
    for place in places:
        name = "".join(c for c in _UNFIT.sub("_", place) if c.isprintable()).strip("._")
        if name and name not in RESERVED_NAMES:
            return name
    return _FALLBACK


def _distinct(name: str, taken: Sequence[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found = f"{name}-{number}"
        number += 1
    return found


def _check_name(name: str) -> None:
    try:
        parse_instance(name)
    except BadValueError as error:
        raise ConfigError(one_line(f"--name {name}: {error}")) from None
