"""The page's files: HTML, style, scripts and icon, sent as they are."""

from typing import Final

TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def load_page() -> dict[str, tuple[bytes, str]]:
    """Return the contents and media type of every file of the page, by name."""
    from importlib.resources import files  # noqa: PLC0415 - slow to import, and only browsers ask for the page

    found = {}
    for file in files(__name__).iterdir():
        media_type = TYPES.get("." + file.name.rpartition(".")[2])
        if media_type is not None:
            found[file.name] = file.read_bytes(), media_type
    return found
