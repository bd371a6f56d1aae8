"""Imports the modules that need a vendor's library when they are first used, off the event loop.

botocore or gcloud-aio-auth takes about 50 ms and 12 MiB, which a server of files or web servers saves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from dvidpc.storage.base import BucketAccess, Lister, ObjectStore, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.ref import Ref


class Vendor(NamedTuple):
    """What can be done with the buckets of one vendor."""

    open_store: Callable[[Ref, BucketAccess, UpstreamLimits, Mapping[str, str]], Awaitable[ObjectStore]]
    open_lister: Callable[[Ref, BucketAccess, UpstreamLimits, Mapping[str, str]], Awaitable[Lister]]
    inspect: Callable[[Ref, BucketAccess, UpstreamLimits, Mapping[str, str]], Awaitable[BucketRights]]


async def load_s3() -> Vendor:
    """Return what can be done with S3 buckets."""
    return await asyncio.to_thread(_import_s3)


async def load_gcs() -> Vendor:
    """Return what can be done with Google buckets."""
    return await asyncio.to_thread(_import_gcs)


def _import_s3() -> Vendor:
    from dvidpc.storage.s3 import s3_inspection, s3_listing, s3_store  # noqa: PLC0415  # slow to import

    return Vendor(s3_store.open_s3, s3_listing.list_s3, s3_inspection.inspect_s3)


def _import_gcs() -> Vendor:
    from dvidpc.storage.gcs import gcs_inspection, gcs_listing, gcs_store  # noqa: PLC0415  # slow to import

    return Vendor(gcs_store.open_gcs, gcs_listing.list_gcs, gcs_inspection.inspect_gcs)
