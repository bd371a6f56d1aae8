"""Inspects the bucket that a configuration describes, for `dvidpc check`."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.ref import Kind
from dvidpc.storage.shared import Shared
from dvidpc.storage.vendors import load_gcs, load_s3


async def inspect_bucket(
    access: BucketAccess, environ: Mapping[str, str], shared: Shared | None = None
) -> BucketRights:
    """Ask what the credentials may do with the volume at the ref of *access*; never writes there.

    Raises:
        ConfigError: The configuration cannot be right.
        StoreError: There are no credentials, or they cannot be looked up now.
    """
    ref, shared = access.ref, shared or Shared()
    limits = UpstreamLimits(first_byte_timeout_s=5.0)
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            return await (await load_s3()).inspect(ref, access, limits, environ, shared)
        case Kind.GCS:
            return await (await load_gcs()).inspect(ref, access, limits, environ, shared)
        case Kind.FILE:
            return BucketRights(
                f"user {os.getuid()}", may_list=await asyncio.to_thread(_may_list, ref.prefix)
            )
        case Kind.HTTP:
            return BucketRights("anybody")


def _may_list(directory: str) -> bool | None:
    """Return whether this user may list a directory; None if there is none."""
    return os.access(directory, os.R_OK) if Path(directory).is_dir() else None
