"""Queries of neuronjson: which objects have given values in given fields.

A query is a JSON object whose members must all match, or a list of such objects, of which one must match. The
rules are DVID's: text and integers match exactly, a list matches if one of its elements does, `exists/1` and
`exists/0` ask for the presence of a field; booleans and fractions match nothing.  (neuronjson/query.go)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue

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
        RequestError: A query holds a regular expression.
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
    for option in options:
        if isinstance(option, str) and option.startswith(_REGEX):
            raise RequestError(
                f"regular expressions are not supported: {option[:_SHOWN]!r}; list the values instead"
            )
    texts = {option for option in options if isinstance(option, str)}
    numbers = {option for option in options if type(option) is int}

    def fits(value: JsonValue) -> bool:
        return any(
            each in texts if isinstance(each, str) else type(each) is int and each in numbers
            for each in (value if isinstance(value, list) else [value])
        )

    return fits
