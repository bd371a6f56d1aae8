"""Reads the documents that describe a volume of arrays: those of the group, and one for each level."""

from dvidpc.errors import FormatError, NoMetadataError, StoreRefusedError
from dvidpc.formats.arrays.bundle import MAX_DOCUMENT_SIZE, Documents, encode_bundle
from dvidpc.formats.arrays.dialects import ArrayFormat, wanted_documents
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import Metadata, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel


async def read_documents(store: ObjectStore, settings: VolumeSettings, kind: ArrayFormat) -> Metadata:
    """Read what describes the volume; the documents of a step are read concurrently.

    Raises:
        NoMetadataError: The directory holds no document of the format.
        FormatError: The documents break the format.
        StoreError: The bucket failed, or refused a document.
    """
    directory = settings.directory
    url = name_object(store.url, directory).rstrip("/")
    known: dict[str, bytes | None] = {}
    try:
        while names := wanted_documents(kind, known, settings.arrays):
            known |= await _read_all(store, directory, names, is_first=not known)
            if not any(known.values()):
                break
    except FormatError as error:
        raise FormatError(f"{url}: {error}") from error
    if not any(known.values()):
        raise NoMetadataError(
            f"{url}: there is no {' and no '.join(known)}; is the ref right, is it an array or a group?"
        )
    await _note_readable(store, directory, known)
    return Metadata(directory, url, encode_bundle(known))


async def _read_all(
    store: ObjectStore, directory: str, names: tuple[str, ...], *, is_first: bool
) -> dict[str, bytes | None]:
    """Read documents concurrently.

    S3 refuses to say that an object does not exist (403) where listing is forbidden. So a refusal is taken
    for absence where another document of the same directory can be read, and above the directory.

    Args:
        store: Holds them.
        directory: What their names are relative to.
        names: Which documents.
        is_first: Whether they are alternatives, of which some must be absent.
    """
    found = dict(
        zip(names, await gather_or_cancel(_read(store, directory, name) for name in names), strict=True)
    )
    is_any_read = is_first and any(isinstance(one, bytes) for one in found.values())
    documents: dict[str, bytes | None] = {}
    for name, one in found.items():
        if isinstance(one, StoreRefusedError):
            if not name.startswith("../") and not is_any_read:
                raise one
            documents[name] = None
        else:
            documents[name] = one
    return documents


async def _read(store: ObjectStore, directory: str, name: str) -> bytes | StoreRefusedError | None:
    """Return a document, or the refusal to read it; None if it does not exist or lies out of the store."""
    try:
        key = resolve_key(directory, name)
    except FormatError:
        return None
    try:
        blob = await store.get(key, max_size=MAX_DOCUMENT_SIZE)
    except StoreRefusedError as refusal:
        return refusal
    return None if blob is None else blob.data


async def _note_readable(store: ObjectStore, directory: str, known: Documents) -> None:
    """Read one document once more as what describes the volume: absences are believed while it can be read.

    Which of several documents that is, is not known before all of them were looked for.
    """
    first = next(name for name, data in known.items() if data is not None)
    await store.get(resolve_key(directory, first), max_size=MAX_DOCUMENT_SIZE, is_metadata=True)
