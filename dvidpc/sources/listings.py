"""Reads the first pages of a listing, so that a look at a huge bucket takes a few requests."""

from collections.abc import AsyncGenerator
from typing import Final

from dvidpc.storage.base import Lister

_PAGES: Final = 5
"""Pages that are read of each listing; a page of a bucket has 1,000 names."""


async def first_names(lister: Lister, directory: str) -> list[str]:
    """Return the names on the first pages of a listing.

    Raises:
        StoreError: The store failed or refused to list.
    """
    names: list[str] = []
    pages = lister.list_below(directory)
    try:
        for _ in range(_PAGES):
            page = await anext(pages, None)
            if page is None:
                break
            names += [entry.name for entry in page]
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()
    return names
