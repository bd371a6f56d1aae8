"""Imports the modules that need a vendor's library when they are first used, off the event loop.

botocore or gcloud-aio-auth takes about 50 ms and 12 MiB. A server of files, web servers or public buckets
needs neither.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from dvidpc.storage.base import BucketAccess, Lister, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.credentials import LookUp
from dvidpc.storage.http.tls import Tls
from dvidpc.storage.ref import Ref
from dvidpc.storage.shared import Aws, Shared

MakeGoogleLookUp: TypeAlias = Callable[[str, Mapping[str, str], Tls], LookUp]
"""Takes the store's URL, the environment and whom to trust."""


class Vendor(NamedTuple):
    """What `dvidpc check` does with the buckets of one vendor, besides reading."""

    open_lister: Callable[[Ref, BucketAccess, UpstreamLimits, Mapping[str, str], Shared], Awaitable[Lister]]
    inspect: Callable[[Ref, BucketAccess, UpstreamLimits, Mapping[str, str], Shared], Awaitable[BucketRights]]


async def load_s3() -> Vendor:
    """Return what can be done with S3 buckets."""
    return await asyncio.to_thread(_import_s3)


async def load_gcs() -> Vendor:
    """Return what can be done with Google buckets."""
    return await asyncio.to_thread(_import_gcs)


async def load_aws(shared: Shared) -> Aws:
    """Return how AWS profiles and credentials are found; the same for all stores that share *shared*."""
    if shared.aws is None:
        made = await asyncio.to_thread(_import_aws, shared)
        shared.aws = shared.aws or made  # another store may have been faster
    return shared.aws


async def load_google_look_up() -> MakeGoogleLookUp:
    """Return what looks up Google credentials."""
    return await asyncio.to_thread(_import_google_look_up)


# ruff: noqa: PLC0415  # the point of this module


def _import_s3() -> Vendor:
    from dvidpc.storage.s3 import s3_inspection, s3_listing

    return Vendor(s3_listing.list_s3, s3_inspection.inspect_s3)


def _import_gcs() -> Vendor:
    from dvidpc.storage.gcs import gcs_inspection, gcs_listing

    return Vendor(gcs_listing.list_gcs, gcs_inspection.inspect_gcs)


def _import_aws(shared: Shared) -> Aws:
    from dvidpc.storage.s3.aws_credentials import AwsLookUp
    from dvidpc.storage.s3.aws_profiles import AwsProfiles

    profiles = AwsProfiles(shared.tls)
    return Aws(profiles, partial(AwsLookUp, profiles))


def _import_google_look_up() -> MakeGoogleLookUp:
    from dvidpc.storage.gcs.google_credentials import GoogleLookUp

    return GoogleLookUp
