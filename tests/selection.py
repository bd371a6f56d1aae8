"""Find the tests that start a server, another process or a browser, by reading their compiled code.

A test does so if its function, one of its fixtures, or a helper below `tests/` that these call names one of
STARTERS. Nobody has to mark a test by hand, and a marker cannot be forgotten.
"""

import dis
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Final

STARTERS: Final = frozenset(
    {
        "AppRunner",
        "Chrome",
        "Popen",
        "TCPSite",
        "ThreadedMotoServer",
        "create_subprocess_exec",
        "make_runner",
        "start_server",
        "subprocess",
    }
)
"""Names of the functions, classes and modules that start something that outlives one call."""


def starts_something(functions: Iterable[object], owner: type | None = None) -> bool:
    """Whether one of *functions*, or a helper below `tests/` that it calls, names one of STARTERS.

    Args:
        functions: A test and its fixtures, decorated or not.
        owner: The test class whose methods they call; None if there is none.
    """
    methods: list[Mapping[str, object]] = [vars(base) for base in owner.__mro__] if owner else []
    waiting = list(functions)
    seen: set[int] = set()
    while waiting:
        for function in _functions_of(waiting.pop()):
            if id(function) in seen:
                continue
            seen.add(id(function))
            names = set(_names_in(function.__code__))
            if names & STARTERS:
                return True
            waiting.extend(_helpers(names, [function.__globals__, *methods]))
    return False


def _functions_of(value: object) -> Iterator[FunctionType]:
    """Yield the function that decorators wrapped, or the functions of a class of ours."""
    if isinstance(value, type):
        if value.__module__.startswith("tests."):
            for base in value.__mro__:
                yield from (one for one in map(_bare, vars(base).values()) if isinstance(one, FunctionType))
        return
    function = _bare(value)
    if isinstance(function, FunctionType) and function.__module__.startswith("tests."):
        yield function


def _bare(value: object) -> object:
    """Return what *value*, a decorated function, a fixture, a property or a hypothesis test, was made of."""
    handle = getattr(value, "hypothesis", None)
    value = getattr(handle, "inner_test", value)
    value = getattr(value, "fget", None) or getattr(value, "__func__", value)
    return inspect.unwrap(value) if callable(value) else value


def _names_in(code: CodeType) -> Iterator[str]:
    """Yield every global and attribute that *code* or a function inside it names."""
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith(("LOAD_", "IMPORT_")) and isinstance(instruction.argval, str):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _helpers(names: set[str], spaces: Sequence[Mapping[str, object]]) -> Iterator[object]:
    """Yield what *names* stand for in *spaces*, and in the modules of ours that are found there."""
    found = [space[name] for space in spaces for name in names if name in space]
    yield from found
    for value in found:
        if isinstance(value, ModuleType) and value.__name__.startswith("tests."):
            yield from (vars(value)[name] for name in names if name in vars(value))
