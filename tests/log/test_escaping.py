"""Text that stays on one line and can be encoded."""

from hypothesis import given
from hypothesis import strategies as st

from dvidpc.log.escaping import encodable, one_line


def test_escapes_keep_a_text_on_one_line() -> None:
    assert one_line("a\nb\r\x1b[0m\u2028\udc80é") == "a\\nb\\r\\x1b[0m\\u2028\\udc80é"


def test_lone_surrogates_become_escapes() -> None:
    assert encodable("a\n\udc80é") == "a\n\\udc80é"


@given(st.text(st.characters()))
def test_any_text_becomes_encodable(text: str) -> None:
    assert encodable(text).encode() == text.encode(errors="backslashreplace")
    assert one_line(text).isprintable()
