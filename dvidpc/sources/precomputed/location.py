"""Where a volume lies below the root of its store, and where its keys and redirects lead.

Keys may climb out of the volume's directory (`../x`), and an `info` may redirect its reader to another one,
but never out of the root: a bucket, a web server's host, or the directory that the configuration names.
"""

from collections.abc import Sequence

from dvidpc.errors import ConfigError, FormatError, NoMetadataError
from dvidpc.formats.precomputed.info import MAX_INFO_SIZE, parse_redirect
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import Metadata
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.ref_formats import strip_format

INFO_KEY = "info"
MAX_REDIRECTS = 10


async def find_info(store: ObjectStore, directory: str) -> Metadata:
    """Read the `info` that stands for the volume in *directory*, after following redirects.

    Raises:
        NoMetadataError: There is none.
        FormatError: Redirects lead out of the store, in a circle, or too far.
        StoreError: The bucket failed.
    """
    seen = [directory]
    while True:
        key = resolve_key(directory, INFO_KEY)
        url = name_object(store.url, key)
        blob = await store.get(key, max_size=MAX_INFO_SIZE, is_metadata=True)
        if blob is None:
            raise NoMetadataError(f"{url} does not exist: is the ref right, is the volume complete?")
        redirect = parse_redirect(blob.data)
        if redirect is None:
            return Metadata(directory, url, blob.data)
        try:
            directory = _follow(store, directory, redirect, seen)
        except FormatError as error:
            raise FormatError(f"{url}: redirect {redirect[:80]!r} {error}") from error
        seen.append(directory)


def _follow(store: ObjectStore, directory: str, redirect: str, seen: Sequence[str]) -> str:
    target = resolve_redirect(store.url, directory, redirect)
    if target in seen:
        raise FormatError("leads in a circle")
    if len(seen) > MAX_REDIRECTS:
        raise FormatError(f"is one of more than {MAX_REDIRECTS}")
    return target


def resolve_redirect(root_url: str, directory: str, redirect: str) -> str:
    """Return the directory that *redirect* names, as the store at *root_url* knows it.

    Raises:
        FormatError: It names no place, or one outside of the store.
    """
    try:
        redirect = strip_format(redirect).rstrip("/").removesuffix(f"/{INFO_KEY}")
        if "://" not in redirect:
            return resolve_key(directory, redirect)
        return parse_ref(redirect).with_root(parse_ref(root_url)).directory
    except ConfigError as error:
        raise FormatError("leads out of the bucket or root") from error
