"""The page for people: HTML, style and scripts as they are sent, read from the package once."""

from typing import Final

TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def load_page() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by name: its bytes and its media type."""
    from importlib.resources import files  # noqa: PLC0415 - slow to import, and programs need no page

    found = {}
    for file in files(__name__).iterdir():
        media_type = TYPES.get("." + file.name.rpartition(".")[2])
        if media_type is not None:
            found[file.name] = file.read_bytes(), media_type
    return found
