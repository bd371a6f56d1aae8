r"""Regular expressions whose time is linear in the text, as in Go, which DVID uses.

Python's own can take hours for a short text, and stop the whole server meanwhile. Supported are literals,
`.`, classes, groups, `|`, `*`, `+`, `?`, `{m,n}`, `^`, `$`, `\d \w \s` and a leading `(?i)`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.expression_syntax import At, Choice, Node, Repeat, Sequence, Single, parse_expression

_MAX_STATES: Final = 500
_MAX_VISITS: Final = 50_000_000
"""States that may be visited for one query; this takes about ten seconds."""
_MAX_CACHED: Final = 10_000


@dataclass(slots=True)
class _State:
    """A state of the automaton: what it takes to leave it, and where to."""

    accepts: Callable[[str], bool] | None = None
    """Which characters lead on; None: no character is needed."""
    at: At | None = None
    """Where in the text one has to be; None: anywhere."""
    following: list[int] = field(default_factory=list)


class Expression:
    """A compiled expression.

    Args:
        pattern: The expression.

    Raises:
        RequestError: It is malformed, or too large.
    """

    def __init__(self, pattern: str) -> None:
        self._states: list[_State] = []
        self._visits = 0
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._match = self._add(_State())
        self._first = self._build(parse_expression(pattern), self._match)
        self._middle = self._close([self._first], set())

    def found_in(self, text: str) -> bool:
        """Return whether a part of *text* matches.

        Raises:
            RequestError: Too many states were visited, in all texts together.
        """
        current = self._close([self._first], {At.START})
        for char in text:
            if self._match in current:
                return True
            current = self._step(current, char)
        return self._match in self._close(current, {At.END} if text else {At.START, At.END})

    def _step(self, current: frozenset[int], char: str) -> frozenset[int]:
        known = self._steps.get((current, char))
        if known is not None:
            return known
        following: list[int] = []
        for number in current:
            state = self._states[number]
            if state.accepts is not None and state.accepts(char):
                following += state.following
        reached = self._close(following, set()) | self._middle
        if len(self._steps) >= _MAX_CACHED:
            self._steps.clear()
        self._steps[current, char] = reached
        return reached

    def _close(self, numbers: Iterable[int], places: set[At]) -> frozenset[int]:
        """Return the states that can be reached from *numbers* without a character, in one of *places*."""
        reached: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.add(number)
            state = self._states[number]
            if state.accepts is None and (state.at is None or state.at in places):
                waiting += state.following
        self._visits += len(reached)
        if self._visits > _MAX_VISITS:
            raise RequestError("the regular expression takes too long; use a simpler one")
        return frozenset(reached)

    def _add(self, state: _State) -> int:
        if len(self._states) >= _MAX_STATES:
            raise RequestError("the regular expression is too large")
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, node: Node, goal: int) -> int:
        """Add the states of *node*, which lead to *goal*; return the one to begin with."""
        match node:
            case Single(accepts):
                return self._add(_State(accepts, None, [goal]))
            case At():
                return self._add(_State(None, node, [goal]))
            case Sequence(parts):
                for part in reversed(parts):
                    goal = self._build(part, goal)
                return goal
            case Choice(options):
                return self._add(_State(None, None, [self._build(option, goal) for option in options]))
            case Repeat(part, least, most):
                return self._build_repeat(part, least, most, goal)

    def _build_repeat(self, part: Node, least: int, most: int | None, goal: int) -> int:
        if most is None:
            loop = self._add(_State(None, None, [goal]))
            self._states[loop].following.append(self._build(part, loop))
            goal = loop
        for _ in range(0 if most is None else most - least):
            goal = self._add(_State(None, None, [goal, self._build(part, goal)]))
        for _ in range(least):
            goal = self._build(part, goal)
        return goal
