"""Looks below a directory that is no array and no group of levels, to say where the volume may be instead."""

import posixpath
from typing import Final

from dvidpc.formats.arrays.bundle import METADATA_NAMES
from dvidpc.sources.counting import Nearby
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.listings import first_names
from dvidpc.sources.recognition import detect_format
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.object_checks import name_object

_SHOWN: Final = 3
"""Names that are shown of a directory that holds other things."""
_TRIED: Final = 8
"""Directories whose documents are read."""


async def find_array_nearby(store: ObjectStore, lister: Lister | None, directory: str) -> Nearby | None:
    """Return what is below *directory*, which holds no volume itself; None if nothing can be said.

    Args:
        store: Holds the directory.
        lister: Lists the store; None if that is not possible.
        directory: As the store knows it.

    Raises:
        StoreError: The store failed or refused to list.
    """
    if lister is None:
        return None
    names = await first_names(lister, directory)
    if not names:
        return Nearby("the listing shows nothing there", None)
    below = {posixpath.dirname(name) for name in names if posixpath.basename(name) in METADATA_NAMES}
    for place in sorted(below - {""}, key=lambda place: (place.count("/"), place))[:_TRIED]:
        found = await detect_format(store, resolve_key(directory, place))
        if found is not None:
            where = resolve_key(directory, place)
            return Nearby(f"there is {found[1]} below it: {name_object(store.url, where)}", where)
    shown = ", ".join(name_object("", name)[1:] for name in names[:_SHOWN])
    return Nearby(f"the directory holds other objects, such as {shown}", None)
