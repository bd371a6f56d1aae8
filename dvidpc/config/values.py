"""What one value of the file may be: each kind checks a TOML value and makes ours of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_SHOWN = 60
"""Most characters of a wrong value that an error repeats."""
_MOST_INTEGER = 2**63 - 1
"""TOML's largest integer."""
NO_USER = "a URL here holds no user and no password"
_YEAR_S = 365 * 24 * 3600


class BadValueError(ValueError):
    """A value that is not of its kind; the text is the reason, empty where the kind's words say it all."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value, and how a person is told of it."""

    words: str
    """What is expected, as in "expected ..."."""
    example: str
    """A good value, as TOML."""
    parse: Callable[[object], object]
    """Makes our value of TOML's; raises BadValueError."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str | None
    """A name or an address; None: every interface."""
    port: int
    """0: any that is free."""

    def __str__(self) -> str:
        """As in the file: `localhost:8000`, `:8000`, `[::1]:8000`."""
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def describe(value: object) -> str:
    """A TOML value in TOML's words, shortened: `the string "abc"`, `the integer 5`, `an array`."""
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= _SHOWN else f'the string "{value[:_SHOWN]}..."'
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, float):
        return f"the float {value}"
    if isinstance(value, int):
        return f"the integer {value}" if abs(value) <= _MOST_INTEGER else "an integer beyond 64 bits"
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else "a date or time"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise BadValueError
    if "\0" in value:
        raise BadValueError("a string here cannot hold a NUL character")
    return value


def _optional(parse: Callable[[str], object]) -> Callable[[object], object]:
    """*parse*, and None for the empty string: the key is as good as left out."""

    def parse_optional(value: object) -> object:
        text = _string(value)
        return parse(text) if text else None

    return parse_optional


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


def _integer(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadValueError
    return value


def integer(least: int, most: int, example: int) -> Kind:
    """Integers from *least* to *most*, both included."""
    return Kind(
        f"an integer from {least} to {most}", str(example), lambda value: _integer(value, least, most)
    )


def number(words: str, example: str, *, least: float, most: float, allow_least: bool) -> Kind:
    """Integers and finite floats from *least* to *most*; *least* itself only if *allow_least*."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValueError
        if not least <= value <= most or (value == least and not allow_least):
            raise BadValueError
        return float(value)

    return Kind(words, example, parse)


def choice(*choices: str) -> Kind:
    """One of several words."""
    words = " or ".join(f'"{one}"' for one in choices)

    def parse(value: object) -> str:
        if _string(value) not in choices:
            raise BadValueError
        return str(value)

    return Kind(words, f'"{choices[0]}"', parse)


_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{infix}b": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for infix, base in (("", 1000), ("i", 1024))
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)")


def parse_size(value: object) -> int:
    """Bytes, from an integer or text: "1.5 GiB" counts in powers of 1024, "2 GB" of 1000."""
    if isinstance(value, int):
        return _integer(value, 0, _MOST_INTEGER)
    match = _SIZE.fullmatch(_string(value))
    if match is None:
        raise BadValueError
    amount, unit = match.groups()
    if unit.lower() not in _UNITS:
        raise BadValueError(f'unknown unit "{unit}", known are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB')
    scale = _UNITS[unit.lower()]
    size = int(float(amount) * scale) if "." in amount else int(amount) * scale
    if size > _MOST_INTEGER:
        raise BadValueError
    return size


def _positive_size(value: object) -> int:
    size = parse_size(value)
    if size == 0:
        raise BadValueError
    return size


_HOST = re.compile(r"[^\s/@\[\]]*")
_PORT = re.compile(r"[0-9]{1,5}")
_MOST_PORT = 65535


def parse_address(text: str) -> Address:
    """An address in the syntax of Go's `net.Listen`, with a number for the port."""
    if "/" in text:
        raise BadValueError(f"{describe(text)} is no host:port")
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > _MOST_PORT:
        raise BadValueError(f"{describe(text)} does not end in a colon and a port from 0 to {_MOST_PORT}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadValueError(f"{describe(text)} holds an IPv6 address outside of brackets")
    if host == "*" or not _HOST.fullmatch(host):
        raise BadValueError(f"{describe(text)} names no host; every interface is :{port}")
    return Address(host or None, int(port))


def parse_endpoint(text: str) -> str:
    """The URL of a service: http or https, a host, no credentials, no query."""
    if "@" in text:
        raise BadValueError(NO_USER)
    try:
        url = urlsplit(text)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise BadValueError
    if url.query or url.fragment:
        raise BadValueError
    return text


_BASE_PATH = re.compile(r"(/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")


def parse_base_path(text: str) -> str:
    """A path that starts with a slash and does not end with one; empty for the root."""
    if text in {"", "/"}:
        return ""
    if not _BASE_PATH.fullmatch(text):
        raise BadValueError
    return text.rstrip("/")


_UUID = re.compile(r"[0-9a-f]{32}")


def parse_uuid(text: str) -> str:
    """A whole UUID, as DVID writes one."""
    if not _UUID.fullmatch(text):
        raise BadValueError
    return text


TEXT = Kind("a string", '"text"', _string)
OPTIONAL_TEXT = Kind("a string", '"text"', _optional(str))
TEXTS = Kind("an array of strings", '["text"]', _strings)
FLAG = Kind("true or false", "true", _boolean)
PATH = Kind("a string that holds a path", '"/path/to/it"', _optional(Path))
SIZE = Kind("a size of at least one byte", '"512MiB"', _positive_size)
CACHE_SIZE = Kind("a size", '"512MiB"', parse_size)
SECONDS = number(
    f"seconds, more than 0 and at most {_YEAR_S}", "2.5", least=0, most=_YEAR_S, allow_least=False
)
SECONDS_OR_NONE = number(f"seconds, 0 to {_YEAR_S}", "2.5", least=0, most=_YEAR_S, allow_least=True)
FRACTION = number("a number from 0 to 1", "0.2", least=0, most=1, allow_least=True)
COUNT = integer(1, 2**31 - 1, 100)
ADDRESS = Kind("a string such as host:port", '"localhost:8000"', lambda value: parse_address(_string(value)))
OPTIONAL_ADDRESS = Kind("a string such as host:port", '"localhost:8001"', _optional(parse_address))
ENDPOINT = Kind("an http or https URL", '"https://s3.example.org"', _optional(parse_endpoint))
BASE_PATH = Kind("a path that starts with /", '"/dvid"', lambda value: parse_base_path(_string(value)))
UUID = Kind("32 hex digits in lower case", '"28841c8277e044a7b187dda03e18da13"', _optional(parse_uuid))
