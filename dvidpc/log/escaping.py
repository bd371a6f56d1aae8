"""Escape text so that it stays on one line and can be encoded as UTF-8."""


def one_line(text: str) -> str:
    r"""Return *text* with line breaks and other unprintable characters as escapes, such as `\n`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def encodable(text: str) -> str:
    """Return *text* with lone surrogates as escapes: file names can hold them, UTF-8 cannot."""
    return text.encode(errors="backslashreplace").decode()
