"""Queries of neuronjson: which objects have given values in given fields.

A query is a JSON object whose members must all match, or a list of such objects, of which one must match. The
rules are DVID's: text and integers match exactly, a list matches if one of its elements does, `exists/1` and
`exists/0` ask for the presence of a field, `re/...` is a regular expression. Booleans and fractions match
nothing.  (neuronjson/query.go)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue
from dvidpc.formats.dvid.regular_expressions import Expression

Query: TypeAlias = Mapping[str, object]
Predicate: TypeAlias = Callable[[JsonValue], bool]

_EXISTS: Final = {"exists/0": False, "exists/1": True}
_REGEX: Final = "re/"
_SHOWN: Final = 200


def parse_queries(body: bytes) -> list[Query]:
    """Parse the body of a `query` request.

    Raises:
        RequestError: It is no query, or an empty list.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = None
    queries = [document] if isinstance(document, dict) else document
    if not isinstance(queries, list) or not all(isinstance(query, dict) for query in queries):
        raise RequestError(f"unable to parse JSON query: {body[:_SHOWN].decode(errors='replace')}")
    if not queries:
        raise RequestError("no query provided")
    return queries


def ids_of(queries: Iterable[Query], field: str) -> set[int] | None:
    """Return the only integers that *field* can have in a matching object; None if a query does not say."""
    ids: set[int] = set()
    for query in queries:
        wanted = query.get(field)
        options: list[object] = wanted if isinstance(wanted, list) else [wanted]
        numbers = {option for option in options if type(option) is int}
        if len(numbers) < len(options):
            return None
        ids |= numbers
    return ids


def make_matcher(queries: Iterable[Query]) -> Callable[[Mapping[str, JsonValue]], bool]:
    """Return a function that says whether an object matches one of the queries.

    A query without members matches nothing.

    Raises:
        RequestError: A query holds a malformed regular expression. The function raises it too, if one takes
            too long.
    """
    prepared = [{field: _predicate(value) for field, value in query.items()} for query in queries if query]

    def matches(found: Mapping[str, JsonValue]) -> bool:
        return any(all(fits(found.get(field)) for field, fits in query.items()) for query in prepared)

    return matches


def _predicate(wanted: object) -> Predicate:
    """Return a function that says whether the value of a field, None if it is missing, is what is wanted."""
    if isinstance(wanted, str) and wanted in _EXISTS:
        must_exist = _EXISTS[wanted]
        return lambda value: (value is not None) is must_exist
    options = wanted if isinstance(wanted, list) else [wanted]
    texts = {option for option in options if isinstance(option, str)}
    expressions = [Expression(text.removeprefix(_REGEX)) for text in texts if text.startswith(_REGEX)]
    numbers = {option for option in options if type(option) is int}

    def fits_one(value: object) -> bool:
        if isinstance(value, str):
            return value in texts or any(expression.found_in(value) for expression in expressions)
        return type(value) is int and value in numbers

    return lambda value: any(map(fits_one, value if isinstance(value, list) else [value]))
