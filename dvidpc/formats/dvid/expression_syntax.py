"""Parse regular expressions in the part of Go's syntax that queries use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from dvidpc.errors import RequestError

MAX_PATTERN: Final = 200
"""Largest expression in characters."""

_MAX_REPEATS: Final = 100
_COUNTS: Final = re.compile(r"\{([0-9]{1,3})(,([0-9]{0,3}))?\}", re.ASCII)
_CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "d": lambda char: "0" <= char <= "9",
    "w": lambda char: char == "_" or (char.isascii() and char.isalnum()),
    "s": lambda char: char in "\t\n\f\r ",
}
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_QUANTIFIERS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class At(Enum):
    """A place in the text."""

    START = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Single:
    """One character."""

    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts, one after the other."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some options."""

    options: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, a number of times."""

    part: "Node"
    least: int
    most: int | None
    """None: any number."""


Node: TypeAlias = "Single | At | Sequence | Choice | Repeat"


def parse_expression(pattern: str) -> Node:
    """Return the tree of an expression.

    Raises:
        RequestError: It is malformed, too long, or uses what is not supported.
    """
    if len(pattern) > MAX_PATTERN:
        raise RequestError(f"the regular expression has more than {MAX_PATTERN} characters")
    parser = _Parser(pattern.removeprefix("(?i)"), ignores_case=pattern.startswith("(?i)"))
    node = parser.choice()
    if parser.rest:
        raise _fault(pattern)
    return node


def _fault(pattern: str) -> RequestError:
    return RequestError(f"regular expression {pattern!r} is malformed or not supported")


class _Parser:
    """Reads an expression from its start."""

    def __init__(self, pattern: str, *, ignores_case: bool) -> None:
        self._pattern = pattern
        self._at = 0
        self._ignores_case = ignores_case

    @property
    def rest(self) -> str:
        """What has not been read."""
        return self._pattern[self._at :]

    def choice(self) -> Node:
        """Read options that are separated by `|`."""
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.rest and self.rest[0] not in "|)":
            parts.append(self._quantified())
        return Sequence(tuple(parts))

    def _quantified(self) -> Node:
        node = self._atom()
        counts = self._counts()
        if counts is None:
            return node
        self._take("?")  # whether a quantifier is greedy does not matter
        if self._counts() is not None:
            raise _fault(self._pattern)
        return Repeat(node, *counts)

    def _counts(self) -> tuple[int, int | None] | None:
        """Read a quantifier; None if there is none."""
        if self.rest[:1] in _QUANTIFIERS:
            return _QUANTIFIERS[self._next()]
        match = _COUNTS.match(self._pattern, self._at)
        if match is None:
            return None
        self._at = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > _MAX_REPEATS or (most is not None and most < least):
            raise _fault(self._pattern)
        return least, most

    def _atom(self) -> Node:
        char = self._next()
        match char:
            case "(":
                return self._group()
            case "^" | "$":
                return At.START if char == "^" else At.END
            case "*" | "+" | "?":
                raise _fault(self._pattern)
            case _:
                return Single(self._single(char))

    def _single(self, char: str) -> Callable[[str], bool]:
        """Read what stands for one character and starts with *char*."""
        match char:
            case "[":
                return self._set()
            case ".":
                return lambda found: found != "\n"
            case "\\":
                return self._escape()
            case _:
                return self._literal(char)

    def _group(self) -> Node:
        if self._take("?") and not self._take(":"):
            raise _fault(self._pattern)
        node = self.choice()
        if not self._take(")"):
            raise _fault(self._pattern)
        return node

    def _set(self) -> Callable[[str], bool]:
        """Read a class, behind its bracket."""
        is_negated = self._take("^")
        options: list[Callable[[str], bool]] = []
        while not options or self.rest[:1] != "]":
            options.append(self._member())
        self._next()

        def accepts(char: str) -> bool:
            return any(option(char) for option in options) is not is_negated

        return accepts

    def _member(self) -> Callable[[str], bool]:
        first = self._next()
        if first == "[" and self.rest[:1] == ":":
            raise _fault(self._pattern)
        if first == "\\":
            return self._escape()
        if self.rest[:1] == "-" and self.rest[1:2] not in {"]", ""}:
            self._next()
            last = self._next()
            if last == "\\" or last < first:
                raise _fault(self._pattern)
            return self._span(first, last)
        return self._literal(first)

    def _escape(self) -> Callable[[str], bool]:
        """Read what follows a backslash."""
        char = self._next()
        if char.lower() in _CLASSES:
            accepts = _CLASSES[char.lower()]
            return accepts if char.islower() else lambda found: not accepts(found)
        if char.isalnum() and char not in _ESCAPED:
            raise _fault(self._pattern)
        return self._literal(_ESCAPED.get(char, char))

    def _literal(self, char: str) -> Callable[[str], bool]:
        if self._ignores_case:
            return lambda found: found.lower() == char.lower()
        return lambda found: found == char

    def _span(self, first: str, last: str) -> Callable[[str], bool]:
        if self._ignores_case:
            return lambda found: first <= found.lower() <= last or first <= found.upper() <= last
        return lambda found: first <= found <= last

    def _take(self, char: str) -> bool:
        """Read *char* if it comes next."""
        if self.rest[:1] != char:
            return False
        self._at += 1
        return True

    def _next(self) -> str:
        if not self.rest:
            raise _fault(self._pattern)
        self._at += 1
        return self._pattern[self._at - 1]
