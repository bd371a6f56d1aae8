"""Finds out where an S3 bucket is and which credentials to use there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import load_tls_context
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.aws_credentials import AwsLookUp, load_aws_settings
from dvidpc.storage.s3.region import ask_region, choose_region
from dvidpc.storage.s3.s3_address import DEFAULT_REGION, BucketAddress, locate_bucket


@dataclass(frozen=True, slots=True)
class S3Place:
    """How to reach a bucket."""

    address: BucketAddress
    credentials: Credentials | None
    """Looked up already; None for unsigned requests."""
    ca_bundle: Path | None
    configured_region: str | None
    """What the configuration or the environment says; None if neither does."""
    reported_region: str | None
    """What the service says; None if it does not."""


async def reach_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> S3Place:
    """Ask the service for the bucket's region, and look up credentials.

    Raises:
        ConfigError: The configuration or the AWS settings cannot be right.
        StoreError: There are no credentials, or they cannot be looked up now.
    """
    settings = await load_aws_settings(access.profile, environ)
    ca_bundle = access.ca_bundle or settings.ca_bundle
    configured = access.region or settings.region
    address = locate_bucket(
        ref,
        access,
        default_endpoint=settings.endpoint,
        region=configured,
        default_path_style=settings.path_style,
    )
    async with await open_s3_session(address, ca_bundle, limits, environ) as session:
        reported = await ask_region(session, address.url, timeout_s=limits.connect_timeout_s)
    region = choose_region(configured=configured, reported=reported)
    address = replace(address, region=region or DEFAULT_REGION)
    credentials = None
    if not access.anonymous:
        credentials = Credentials(AwsLookUp(ref.url, access.profile))
        await credentials.ensure()
    return S3Place(address, credentials, ca_bundle, configured, reported)


async def open_s3_session(
    address: BucketAddress, ca_bundle: Path | None, limits: UpstreamLimits, environ: Mapping[str, str]
) -> aiohttp.ClientSession:
    """Open the HTTP client for a bucket.

    Raises:
        ConfigError: *ca_bundle* cannot be read or holds no certificate.
    """
    return open_session(address.url, await load_tls_context(ca_bundle), limits, environ)
