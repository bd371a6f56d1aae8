"""Looks around a directory without `info`, to say where the volume may be instead."""

import posixpath
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.sources.counting import Nearby
from dvidpc.sources.listings import first_names
from dvidpc.sources.precomputed.location import INFO_KEY
from dvidpc.sources.precomputed.survey import join
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.object_checks import name_object

_SHOWN: Final = 3
"""Names that are shown of a directory that holds other things."""


async def find_nearby(store: ObjectStore, lister: Lister | None, directory: str) -> Nearby | None:
    """Return what is near *directory*, which holds no `info`; None if nothing can be said.

    Args:
        store: Holds the directory.
        lister: Lists the store; None if that is not possible.
        directory: As the store knows it.

    Raises:
        StoreError: The store failed or refused to list.
    """
    above, last = posixpath.split(directory)
    if directory and await _exists(store, join(above, INFO_KEY)):
        return _found(store, above, "above it")
    if lister is None:
        return None
    names = await first_names(lister, directory)
    if names:
        return _find_below(store, directory, names)
    for name in await first_names(lister, above) if last else ():
        found, base = posixpath.split(name)
        if base == INFO_KEY and found.lower() == last.lower():
            return _found(store, join(above, found), "in a directory whose name is in another case")
    return Nearby("the listing shows nothing there", None)


def _find_below(store: ObjectStore, directory: str, names: list[str]) -> Nearby:
    for name in names:
        found, base = posixpath.split(name)
        if base == INFO_KEY and found:
            return _found(store, join(directory, found), "below it")
        if base.lower() == INFO_KEY or base.lower().startswith(f"{INFO_KEY}."):
            url = name_object(store.url, join(directory, name))
            return Nearby(f"there is {url}, but only the name {INFO_KEY!r} is read", None)
    shown = ", ".join(name_object("", name)[1:] for name in names[:_SHOWN])
    return Nearby(f"the directory holds other objects, such as {shown}", None)


def _found(store: ObjectStore, directory: str, where: str) -> Nearby:
    url = name_object(store.url, join(directory, INFO_KEY))
    return Nearby(f"there is one {where}: {url}", directory)


async def _exists(store: ObjectStore, key: str) -> bool:
    try:
        return await store.get(key, max_size=0) is not None
    except FormatError:  # it is larger
        return True
