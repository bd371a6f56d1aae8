"""Says which other format a directory is in, where the metadata of the configured one is not there."""

from contextlib import suppress
from typing import Final

from dvidpc.errors import FormatError, NoMetadataError, StoreError
from dvidpc.formats.arrays.bundle import MAX_DOCUMENT_SIZE
from dvidpc.formats.arrays.dialects import MARKERS, recognise
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.ref_formats import PRECOMPUTED
from dvidpc.tasks import gather_or_cancel

_INFO: Final = "info"


async def with_other_format(
    error: NoMetadataError, store: ObjectStore, settings: VolumeSettings
) -> NoMetadataError:
    """Return *error*, with the format of what is there instead and the line to write, if it is known."""
    with suppress(StoreError):
        found = await detect_format(store, settings.directory)
        if found is not None and found[0] != settings.engine:
            engine, text = found
            return NoMetadataError(f'{error}; there is {text}: write engine = "{engine}"', engine)
    return error


async def detect_format(store: ObjectStore, directory: str) -> tuple[str, str] | None:
    """Return the engine for what lies in a directory, and what it is in words; None if there is none.

    Raises:
        StoreError: The bucket failed, or refused what is asked for.
    """
    names = (_INFO, *MARKERS)
    documents = dict(
        zip(names, await gather_or_cancel(_read(store, directory, name) for name in names), strict=True)
    )
    if documents.pop(_INFO) is not None:
        return PRECOMPUTED, "an info, as of a precomputed volume"
    found = recognise(documents)
    return None if found is None else (found.kind.value, found.text)


async def _read(store: ObjectStore, directory: str, name: str) -> bytes | None:
    """Return a document; empty if it is too large to be one."""
    try:
        blob = await store.get(resolve_key(directory, name), max_size=MAX_DOCUMENT_SIZE)
    except FormatError:
        return b""
    return None if blob is None else blob.data
