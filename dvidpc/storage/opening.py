"""Opens the store that a configuration describes."""

import asyncio
from collections.abc import Mapping

from obstore.exceptions import BaseError
from obstore.store import LocalStore

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.files import DirectoryStore
from dvidpc.storage.gcs.gcs_store import list_gcs, open_gcs
from dvidpc.storage.http.web_store import open_web
from dvidpc.storage.listing import BucketLister
from dvidpc.storage.ref import Kind, Ref
from dvidpc.storage.retry.retrying_store import Gate, RetryingStore
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.storage.s3.s3_store import list_s3, open_s3

SUFFIXES = {".gz": "gzip", ".br": "br", ".zstd": "zstd"}
"""What cloud-volume appends to a file's name where a bucket would have a Content-Encoding."""


def bucket_of(access: BucketAccess) -> tuple[str, ...]:
    """Return what identifies a bucket: volumes of one bucket share a `Gate`."""
    ref = access.ref
    endpoint = ref.endpoint or access.endpoint or ""
    return ref.kind, endpoint, ref.bucket, ref.prefix if ref.kind is Kind.FILE else ""


async def open_store(
    access: BucketAccess,
    limits: UpstreamLimits,
    *,
    environ: Mapping[str, str],
    counts: UpstreamCounts | None = None,
    gate: Gate | None = None,
) -> ObjectStore:
    """Make ready to read below `access.ref`, with retries; close the store after use.

    Credentials are looked up, and S3 is asked for the bucket's region; no object is read.

    Args:
        access: Where and as whom.
        limits: How long and how often to ask.
        environ: What `os.environ` holds; botocore reads the process's own besides.
        counts: Where what is asked of the bucket is counted; None: nobody will look.
        gate: What is shared with other volumes of the bucket; None: nothing.

    Raises:
        ConfigError: The configuration cannot be right.
        StoreError: There are no credentials, or no such directory; it may be otherwise later.
    """
    ref = access.ref
    return RetryingStore(await _open(ref, access, limits, environ), limits, gate, counts)


async def open_lister(
    access: BucketAccess, limits: UpstreamLimits, *, environ: Mapping[str, str]
) -> BucketLister | None:
    """Make ready to list below `access.ref`; None where that cannot be: at a web server. As `open_store`."""
    ref = access.ref
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            return await list_s3(ref, access, limits, environ)
        case Kind.GCS:
            return await list_gcs(ref, access, limits, environ)
        case Kind.HTTP:
            return None
        case Kind.FILE:
            return BucketLister(await _find(ref), url=ref.url, prefix="", suffixes=SUFFIXES)


async def _open(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> ObjectStore:
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            return await open_s3(ref, access, limits, environ)
        case Kind.GCS:
            return await open_gcs(ref, access, limits, environ)
        case Kind.HTTP:
            return await open_web(ref, access, limits, environ)
        case Kind.FILE:
            return DirectoryStore(
                await _find(ref), url=ref.url, timeout_s=limits.first_byte_timeout_s, suffixes=SUFFIXES
            )


async def _find(ref: Ref) -> LocalStore:
    try:
        return await asyncio.to_thread(LocalStore, ref.prefix)
    except (BaseError, OSError) as error:
        raise StoreError(f"{ref.url} is no directory that can be read") from error
