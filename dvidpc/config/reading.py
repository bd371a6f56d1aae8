"""Takes the keys of one table into a section, and words what is wrong with them."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args, get_origin, get_type_hints

from dvidpc.config.sections import Key
from dvidpc.config.values import BadValueError, Kind, describe
from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Section = TypeVar("Section", bound="DataclassInstance")

_CLOSE = 0.7
"""How alike two names are, of 1, for one to be taken for a slip of the other."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file being read, and what has been found to say about it."""

    path: Path
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """What relative paths of the file are relative to."""
        return self.path.absolute().parent

    def error(self, place: str, reason: str) -> ConfigError:
        """The error that says what is wrong at *place*, to be raised."""
        return ConfigError(one_line(f"{self.path}: {place}: {reason}"))

    def note(self, text: str) -> None:
        """Have start-up say that something of DVID's means nothing here."""
        self.notes.append(one_line(text))

    def warn(self, text: str) -> None:
        """Have start-up say that something is probably a slip."""
        self.warnings.append(one_line(text))

    def table(self, place: str, value: object) -> Mapping[str, object]:
        """*value*, which is to be a table.

        Raises:
            ConfigError: It is something else.
        """
        if not isinstance(value, dict):
            raise self.error(
                place, f"expected a table, got {describe(value)}; write its keys below a line {place}"
            )
        return value


def keys_of(section: type["DataclassInstance"]) -> dict[str, tuple[str, Kind]]:
    """The keys of a section as the file has them, in order: each one's field and kind."""
    hints = get_type_hints(section, include_extras=True)
    found = {}
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            key = next(note for note in get_args(hint) if isinstance(note, Key))
            found[key.name or name] = (name, key.kind)
    return found


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that *name* is probably a slip of; None if none is near."""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_CLOSE)
    return by_lower[near[0]] if near else None


def fold_keys(
    table: Mapping[str, object], known: Iterable[str], reading: Reading, place: str
) -> dict[str, object]:
    """*table* with keys in the known spelling where they differ only in case, as DVID takes them.

    Raises:
        ConfigError: Two keys are the same but for their case.
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
        ConfigError: One is not; the message names it and what was probably meant.
    """
    known = tuple(known)
    for key in table:
        if key not in known:
            near = closest(key, known)
            advice = f'did you mean "{near}"?' if near else f"known are {', '.join(known)}"
            raise reading.error(f"{place} {key}", f"unknown key; {advice}")


def warn_of_unknown(table: Iterable[str], known: Iterable[str], reading: Reading, place: str) -> None:
    """Warn of every key of a table that is not known, as a file for DVID may hold some."""
    known = tuple(known)
    for key in table:
        if key not in known:
            near = closest(key, known)
            advice = f'; did you mean "{near}"?' if near else ""
            reading.warn(f"{place} {key}: unknown key, ignored{advice}")


def read_value(kind: Kind, value: object, reading: Reading, place: str, key: str) -> object:
    """One value as ours; relative paths are made absolute.

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
    """The section that the known keys of *table* make; unknown keys are the caller's to find.

    Args:
        section: The dataclass to make.
        table: The keys as the file has them.
        reading: The file.
        place: The table's name, in brackets.
        **others: Fields that the table does not hold.

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
