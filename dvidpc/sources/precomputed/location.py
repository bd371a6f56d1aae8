"""Where a volume lies below the root of its store, and where its keys and redirects lead.

Keys may climb out of the volume's directory (`../x`), and an `info` may send its reader to another one,
but never out of the root: a bucket, a web server's host, or the directory that the configuration names.
"""

import posixpath

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.precomputed.info import MAX_INFO_SIZE, parse_redirect
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.ref import parse_ref

INFO_KEY = "info"
MAX_REDIRECTS = 10
_PROTOCOLS = ("precomputed://", "neuroglancer-precomputed://")


async def find_info(store: ObjectStore, directory: str) -> tuple[str, bytes]:
    """The directory of the `info` that stands for the volume, and its bytes, after following redirects.

    Raises:
        FormatError: There is none, or redirects lead out of the store, in a circle, or too far.
        StoreError: The bucket failed.
    """
    seen = [directory]
    while True:
        key = resolve_key(directory, INFO_KEY)
        blob = await store.get(key, max_size=MAX_INFO_SIZE)
        if blob is None:
            raise FormatError(
                f"{name_object(store.url, key)} does not exist: is the ref right, is the volume complete?"
            )
        redirect = parse_redirect(blob.data)
        if redirect is None:
            return directory, blob.data
        try:
            directory = resolve_redirect(store.url, directory, redirect)
            if directory in seen:
                raise FormatError("leads in a circle")  # noqa: TRY301 - named below
            if len(seen) > MAX_REDIRECTS:
                raise FormatError(f"is one of more than {MAX_REDIRECTS}")  # noqa: TRY301 - named below
        except FormatError as error:
            raise FormatError(f"{name_object(store.url, key)}: redirect {redirect[:80]!r} {error}") from error
        seen.append(directory)


def resolve_key(directory: str, key: str) -> str:
    """*key*, which is relative to *directory*, as the store knows it.

    Raises:
        FormatError: It leads out of the store.
    """
    path = posixpath.normpath(posixpath.join(directory, key))
    if path == ".." or path.startswith(("../", "/")):
        raise FormatError("leads out of the bucket or root")
    return "" if path == "." else path


def resolve_redirect(root_url: str, directory: str, redirect: str) -> str:
    """The directory that *redirect* names, as the store at *root_url* knows it.

    Raises:
        FormatError: It names no place, or one outside of the store.
    """
    for protocol in _PROTOCOLS:
        redirect = redirect.removeprefix(protocol)
    redirect = redirect.rstrip("/").removesuffix(f"/{INFO_KEY}")
    if "://" not in redirect:
        return resolve_key(directory, redirect)
    try:
        return parse_ref(redirect).with_root(parse_ref(root_url)).directory
    except ConfigError as error:
        raise FormatError("leads out of the bucket or root") from error
