"""Reads the keys of one table into a section, and composes the errors, warnings and notes about them."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args, get_origin, get_type_hints

from dvidpc.config.values import BadValueError, Key, Kind, describe
from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Section = TypeVar("Section", bound="DataclassInstance")

_CLOSE = 0.7
"""How similar two names are, from 0 to 1, for one to be taken for a misspelling of the other."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file being read, and the notes and warnings about it so far."""

    path: Path
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """The directory that relative paths in the file start from."""
        return self.path.absolute().parent

    def error(self, place: str, reason: str) -> ConfigError:
        """Return the error to raise about *place*, a section or a key in it."""
        return ConfigError(one_line(f"{self.path}: {place}: {reason}"))

    def note(self, text: str) -> None:
        """Add a line to the log about a setting of DVID's that has no effect here."""
        self.notes.append(one_line(text))

    def warn(self, text: str) -> None:
        """Add a line to the log about a probable mistake."""
        self.warnings.append(one_line(text))

    def table(self, place: str, value: object) -> Mapping[str, object]:
        """Return *value* if it is a table.

        Raises:
            ConfigError: It is not.
        """
        if not isinstance(value, dict):
            raise self.error(
                place, f"expected a table, got {describe(value)}; write its keys below a line {place}"
            )
        return value


def keys_of(section: type["DataclassInstance"]) -> dict[str, tuple[str, Kind]]:
    """Return the field and the kind of each key of a section, by the key's name in the file and in order."""
    hints = get_type_hints(section, include_extras=True)
    found = {}
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            key = next(note for note in get_args(hint) if isinstance(note, Key))
            found[key.name or name] = (name, key.kind)
    return found


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that *name* probably misspells; None if none is similar."""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_CLOSE)
    return by_lower[near[0]] if near else None


def fold_keys(
    table: Mapping[str, object], known: Iterable[str], reading: Reading, place: str
) -> dict[str, object]:
    """Return *table* with known keys in their usual spelling; like DVID, ignore the case of keys.

    Raises:
        ConfigError: Two keys differ only in case.
    """
    by_lower = {one.lower(): one for one in known}
    folded: dict[str, object] = {}
    for key, value in table.items():
        spelling = by_lower.get(key.lower(), key)
        if spelling in folded:
            raise reading.error(
                f"{place} {key}".strip(), "given twice, in different case; remove one of them"
            )
        folded[spelling] = value
    return folded


def refuse_unknown(table: Iterable[str], known: Iterable[str], reading: Reading, place: str) -> None:
    """Check that every key of a table is known.

    Raises:
        ConfigError: A key is unknown; the message suggests a known one.
    """
    known = tuple(known)
    for key in table:
        if key not in known:
            near = closest(key, known)
            advice = f'did you mean "{near}"?' if near else f"known keys are {', '.join(known)}"
            raise reading.error(f"{place} {key}", f"unknown key; {advice}")


def warn_of_unknown(table: Iterable[str], known: Iterable[str], reading: Reading, place: str) -> None:
    """Warn of every unknown key of a table; a file written for DVID may hold some."""
    known = tuple(known)
    for key in table:
        if key not in known:
            near = closest(key, known)
            advice = f'; did you mean "{near}"?' if near else ""
            reading.warn(f"{place} {key}: unknown key, ignored{advice}")


def read_value(kind: Kind, value: object, reading: Reading, place: str, key: str) -> object:
    """Convert one value; relative paths become absolute.

    Raises:
        ConfigError: The value is not of its kind.
    """
    try:
        parsed = kind.parse(value)
    except BadValueError as e:
        reason = str(e) or f"expected {kind.words}, got {describe(value)}"
        raise reading.error(f"{place} {key}", f"{reason}; write for example {key} = {kind.example}") from None
    return reading.directory / parsed if isinstance(parsed, Path) else parsed


def read_section(
    section: type[Section], table: Mapping[str, object], reading: Reading, place: str, **others: object
) -> Section:
    """Read a section from the known keys of *table*; the caller checks for unknown keys.

    Args:
        section: The dataclass to create.
        table: The keys and values in the file.
        reading: The file.
        place: The table's name, in brackets.
        **others: Fields that are not keys of the table.

    Raises:
        ConfigError: A value is not of its kind, or a key without a default is missing.
    """
    keys = keys_of(section)
    make: Callable[..., Section] = section
    values = {
        keys[key][0]: read_value(keys[key][1], value, reading, place, key)
        for key, value in table.items()
        if key in keys
    }
    required = {one.name for one in fields(section) if one.default is MISSING}
    for key, (name, kind) in keys.items():
        if name in required - values.keys():
            raise reading.error(f"{place} {key}", f"is missing; write for example {key} = {kind.example}")
    return make(**values, **others)
