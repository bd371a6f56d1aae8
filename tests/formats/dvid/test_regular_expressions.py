"""Expressions match what Python's do, in bounded time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.regular_expressions import Expression

TEXTS = st.text("abcM1 -_.", max_size=12)
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "M",
        "1",
        ".",
        "[ab]",
        "[^a-c]",
        r"\d",
        r"\w",
        r"\S",
        r"\.",
        "^",
        "$",
        "[a.-]",
        "(?:)",
        r"[\d_]",
    ]
)


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,}", "*?"])
    return st.one_of(
        st.tuples(parts, parts).map("".join),
        st.tuples(parts, parts).map("|".join),
        parts.map("({})".format),
        st.tuples(parts, quantifiers).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


@given(st.recursive(ATOMS, combined, max_leaves=8), TEXTS)
def test_any_expression_matches_what_pythons_does(pattern: str, text: str) -> None:
    expected = re.search(pattern, text, re.ASCII) is not None
    assert Expression(pattern).found_in(text) is expected
    assert Expression(f"(?i){pattern}").found_in(text) is bool(
        re.search(pattern, text, re.ASCII | re.IGNORECASE)
    )


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(",
            ")",
            "[",
            "[]",
            "a**",
            "*",
            "a{2}{3}",
            r"\b",
            r"\p{L}",
            "(?=a)",
            "(?P<n>a)",
            "[[:alpha:]]",
            "[b-a]",
        ),
        *("a{101}", "a{3,2}", "\\", "x" * 201, "(" * 150, "((a{100}){100}){100}"),
    ],
)
def test_what_is_malformed_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(RequestError, match="regular expression"):
        Expression(pattern)


def test_an_expression_that_would_backtrack_takes_no_time() -> None:
    began = time.process_time()
    assert not Expression("(a*)*(a|aa)+b").found_in("a" * 10_000)
    assert time.process_time() - began < 1


@given(st.text(max_size=30), TEXTS)
def test_any_text_is_an_expression_or_refused(pattern: str, text: str) -> None:
    try:
        expression = Expression(pattern)
    except RequestError:
        return
    assert expression.found_in(text) in {True, False}
