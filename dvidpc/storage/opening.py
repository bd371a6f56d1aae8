"""Opens the store that a configuration describes.

The modules of a kind of store are imported when the first store of that kind is opened.
"""

# ruff: noqa: PLC0415  # the point of this module

from collections.abc import Mapping

from dvidpc.storage.base import BucketAccess, Lister, ObjectStore, UpstreamLimits
from dvidpc.storage.files import check_directory, open_directory
from dvidpc.storage.ref import Kind, Ref
from dvidpc.storage.retry.retrying_store import Gate, RetryingStore
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.storage.shared import Shared
from dvidpc.storage.vendors import load_gcs, load_s3

SUFFIXES = {".gz": "gzip", ".br": "br", ".zstd": "zstd"}
"""What cloud-volume appends to a file's name where a bucket would have a Content-Encoding."""


def bucket_of(access: BucketAccess) -> tuple[str, ...]:
    """Return what identifies the bucket: volumes of one bucket share a `Gate`.

    Raises:
        ConfigError: The ref is malformed.
    """
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
    shared: Shared | None = None,
) -> ObjectStore:
    """Open what is below `access.ref` for reading, with retries; close the store after use.

    Credentials are looked up, and S3 is asked for the bucket's region; no object is read.

    Args:
        access: Where, and as whom.
        limits: Timeouts, retries and concurrency.
        environ: The contents of `os.environ`. botocore also reads the process's own.
        counts: Where requests are counted; None if nobody reads the counts.
        gate: Shared with other volumes of the bucket; None to share nothing.
        shared: Shared with all other stores; None to share nothing.

    Raises:
        ConfigError: The configuration cannot be right.
        StoreError: There are no credentials or no such directory; a later try may succeed.
    """
    ref = access.ref
    return RetryingStore(await _open(ref, access, limits, environ, shared or Shared()), limits, gate, counts)


async def open_lister(
    access: BucketAccess,
    limits: UpstreamLimits,
    *,
    environ: Mapping[str, str],
    shared: Shared | None = None,
) -> Lister | None:
    """Open what is below `access.ref` for listing; None for a web server, which cannot be listed.

    Arguments and errors are those of `open_store`.
    """
    ref, shared = access.ref, shared or Shared()
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            return await (await load_s3()).open_lister(ref, access, limits, environ, shared)
        case Kind.GCS:
            return await (await load_gcs()).open_lister(ref, access, limits, environ, shared)
        case Kind.HTTP:
            return None
        case Kind.FILE:
            from dvidpc.storage.directory_listing import DirectoryLister

            await check_directory(ref.prefix, url=ref.url)
            suffixes = SUFFIXES if access.has_suffixes else {}
            return DirectoryLister(ref.prefix, url=ref.url, suffixes=suffixes)


async def _open(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> ObjectStore:
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            from dvidpc.storage.s3.s3_store import open_s3

            return await open_s3(ref, access, limits, environ, shared)
        case Kind.GCS:
            from dvidpc.storage.gcs.gcs_store import open_gcs

            return await open_gcs(ref, access, limits, environ, shared)
        case Kind.HTTP:
            from dvidpc.storage.http.web_store import open_web

            return await open_web(ref, access, limits, environ, shared)
        case Kind.FILE:
            return await open_directory(
                ref.prefix,
                url=ref.url,
                timeout_s=limits.first_byte_timeout_s,
                suffixes=SUFFIXES if access.has_suffixes else {},
            )
