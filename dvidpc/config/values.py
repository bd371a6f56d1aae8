"""Kinds of values: each checks a TOML value and converts it to ours."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dvidpc.errors import ConfigError
from dvidpc.storage import ref

_SHOWN = 60
"""Most characters of a wrong value that an error repeats."""
MOST_INTEGER = 2**63 - 1
"""TOML's largest integer."""
_YEAR_S = 365 * 24 * 3600
_UNIX = "unix:"
"""How the address of a socket in the file system begins."""


class BadValueError(ValueError):
    """Raised for a value of another kind; the text is the reason, or empty if `Kind.words` is enough."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value, and the words for it in error messages."""

    words: str
    """Completes "expected ..."."""
    example: str
    """A valid value, as TOML."""
    parse: Callable[[object], object]
    """Converts TOML's value to ours; raises BadValueError."""


@dataclass(frozen=True, slots=True)
class Key:
    """How a field is written in the file."""

    kind: Kind
    name: str | None = None
    """The key's name in the file; None: the same as the field's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str | None
    """A name or an address; None: every interface."""
    port: int
    """0: any free port."""

    def __str__(self) -> str:
        """As in the file: `localhost:8000`, `:8000`, `[::1]:8000`."""
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system where a server listens."""

    path: Path
    """Absolute."""

    def __str__(self) -> str:
        """As in the file: `unix:/run/dvidpc.sock`."""
        return f"{_UNIX}{self.path}"


def describe(value: object) -> str:
    """Describe a TOML value in TOML's terms, shortened: `the string "abc"`, `the integer 5`, `an array`."""
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= _SHOWN else f'the string "{value[:_SHOWN]}..."'
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, float):
        return f"the float {value}"
    if isinstance(value, int):
        return f"the integer {value}" if abs(value) <= MOST_INTEGER else "an integer beyond 64 bits"
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else "a date or time"


def text_of(value: object) -> str:
    """Return *value* if it is a string without NUL characters.

    Raises:
        BadValueError: It is not.
    """
    if not isinstance(value, str):
        raise BadValueError
    if "\0" in value:
        raise BadValueError("a string here cannot hold a NUL character")
    return value


def _optional(parse: Callable[[str], object]) -> Callable[[object], object]:
    """Return *parse* extended to give None for the empty string, which means the same as no key."""

    def parse_optional(value: object) -> object:
        text = text_of(value)
        return parse(text) if text else None

    return parse_optional


def refuse_stray_characters(text: str) -> str:
    """Return *text* if it has neither blanks at its ends nor characters that cannot be seen.

    Raises:
        BadValueError: It has; the message names the first such character.
    """
    ends = {0, len(text) - 1}
    for position, character in enumerate(text):
        if not character.isprintable() or (position in ends and character.isspace()):
            name = unicodedata.name(character, "a control character")
            where = "begins with" if position == 0 else "ends with" if position in ends else "holds"
            raise BadValueError(f"the string {where} {name} (U+{ord(character):04X}); remove it")
    return text


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValueError
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadValueError
    for item in value:
        if not isinstance(item, str):
            raise BadValueError(f"expected an array of strings, got one that holds {describe(item)}")
    return tuple(value)


def integer_of(value: object, least: int, most: int) -> int:
    """Return *value* if it is an integer from *least* to *most*, both included.

    Raises:
        BadValueError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadValueError
    return value


def integer(least: int, most: int, example: int) -> Kind:
    """Return the kind of integers from *least* to *most*, both included."""
    return Kind(
        f"an integer from {least} to {most}", str(example), lambda value: integer_of(value, least, most)
    )


def number(words: str, example: str, *, least: float, most: float, allow_least: bool) -> Kind:
    """Return the kind of numbers from *least* to *most*, both included; *least* only if *allow_least*."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValueError
        if not least <= value <= most or (value == least and not allow_least):
            raise BadValueError
        return float(value)

    return Kind(words, example, parse)


def choice(*choices: str) -> Kind:
    """Return the kind of strings that are one of *choices*."""
    words = " or ".join(f'"{one}"' for one in choices)

    def parse(value: object) -> str:
        if text_of(value) not in choices:
            raise BadValueError
        return str(value)

    return Kind(words, f'"{choices[0]}"', parse)


def _absolute_path(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise BadValueError(f"{describe(text)} is not an absolute path")
    return path


_HOST = re.compile(r"[^\s/@\[\]]*")
_PORT = re.compile(r"[0-9]{1,5}")
_MOST_PORT = 65535


def parse_address(text: str) -> Address:
    """Parse an address in the syntax of Go's `net.Listen`; the port must be a number."""
    if "/" in text:
        raise BadValueError(f"{describe(text)} is not host:port")
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > _MOST_PORT:
        raise BadValueError(f"{describe(text)} does not end in a colon and a port from 0 to {_MOST_PORT}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadValueError(f"{describe(text)} holds an IPv6 address without brackets")
    if host == "*" or not _HOST.fullmatch(host):
        raise BadValueError(f"{describe(text)} names no host; for every interface write :{port}")
    return Address(host or None, int(port))


def parse_listen_address(text: str) -> Address | UnixAddress:
    """Parse `host:port`, or `unix:` and the absolute path of a socket."""
    if not text.startswith(_UNIX):
        return parse_address(text)
    path = Path(text.removeprefix(_UNIX))
    if not path.is_absolute() or "\0" in text:
        raise BadValueError(f"{describe(text)} has no absolute path after {_UNIX}")
    return UnixAddress(path)


def _endpoint(text: str) -> str:
    """Parse the URL of a service, with its scheme written out."""
    try:
        endpoint = ref.parse_endpoint(text)
    except ConfigError as e:
        raise BadValueError(str(e)) from None
    if "://" not in text:
        raise BadValueError
    return endpoint


_BASE_PATH = re.compile(r"(/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")


def parse_base_path(text: str) -> str:
    """Parse a URL path into one with a slash at its start and none at its end; empty for the root."""
    if text in {"", "/"}:
        return ""
    if not _BASE_PATH.fullmatch(text):
        raise BadValueError
    return text.rstrip("/")


_UUID = re.compile(r"[0-9a-f]{32}")


def parse_uuid(text: str) -> str:
    """Parse a complete UUID, as DVID writes it."""
    if not _UUID.fullmatch(text):
        raise BadValueError
    return text


TEXT = Kind("a string", '"text"', text_of)
OPTIONAL_TEXT = Kind("a string", '"text"', _optional(str))
TEXTS = Kind("an array of strings", '["text"]', _strings)
OPTIONAL_WORD = Kind("a string", '"text"', _optional(refuse_stray_characters))
FLAG = Kind("true or false", "true", _boolean)
PATH = Kind("a string that holds a path", '"/path/to/it"', _optional(Path))
ABSOLUTE_PATH = Kind("a string that holds an absolute path", '"/path/to/it"', _optional(_absolute_path))
SECONDS = number(
    f"seconds, more than 0 and at most {_YEAR_S}", "2.5", least=0, most=_YEAR_S, allow_least=False
)
SECONDS_OR_NONE = number(f"seconds, 0 to {_YEAR_S}", "2.5", least=0, most=_YEAR_S, allow_least=True)
WHOLE_SECONDS = integer(0, _YEAR_S, 60)
FRACTION = number("a number from 0 to 1", "0.2", least=0, most=1, allow_least=True)
COUNT = integer(1, 2**31 - 1, 100)
LISTEN_ADDRESS = Kind(
    "a string such as host:port",
    '"localhost:8000"',
    lambda value: parse_listen_address(text_of(value)),
)
OPTIONAL_ADDRESS = Kind("a string such as host:port", '"localhost:8001"', _optional(parse_address))
ENDPOINT = Kind("an http or https URL", '"https://s3.example.org"', _optional(_endpoint))
BASE_PATH = Kind("a path that starts with /", '"/dvid"', lambda value: parse_base_path(text_of(value)))
UUID = Kind("32 hex digits in lower case", '"28841c8277e044a7b187dda03e18da13"', _optional(parse_uuid))
