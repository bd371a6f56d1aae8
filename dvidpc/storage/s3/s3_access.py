"""Finds out where an S3 bucket is and which credentials to use there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import aiohttp

from dvidpc.errors import ConfigError, StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.credentials import Credentials, sign_in
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.response_bodies import read_refusal
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import Tls
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.aws_settings import AwsSettings, settings_of_environment
from dvidpc.storage.s3.region import ask_region, choose_region
from dvidpc.storage.s3.s3_address import DEFAULT_REGION, BucketAddress, locate_bucket
from dvidpc.storage.s3.s3_service import S3Service
from dvidpc.storage.shared import Shared
from dvidpc.storage.vendors import load_aws


@dataclass(frozen=True, slots=True)
class S3Place:
    """How to reach a bucket."""

    address: BucketAddress
    credentials: Credentials | None
    """Looked up already; None for unsigned requests."""
    tls: Tls
    configured_region: str | None
    """What the configuration or the environment says; None if neither does."""
    reported_region: str | None
    """What the service says; None if it does not."""


async def reach_s3(
    ref: Ref,
    access: BucketAccess,
    limits: UpstreamLimits,
    environ: Mapping[str, str],
    shared: Shared | None = None,
) -> S3Place:
    """Ask the service for the bucket's region, and look up credentials.

    Raises:
        ConfigError: The configuration, the AWS settings or the proxy of the environment cannot be right.
        StoreError: There are no credentials, or they cannot be looked up now.
    """
    shared = shared or Shared()
    settings = await _load_settings(ref, access, environ, shared)
    tls = await shared.tls.load(access.ca_bundle or settings.ca_bundle)
    configured = access.region or settings.region
    address = locate_bucket(
        ref,
        access,
        default_endpoint=settings.endpoint,
        region=configured,
        default_path_style=settings.path_style,
    )
    async with open_session(address.url, tls, limits, environ) as session:
        reported = await ask_region(session, address.url, timeout_s=limits.connect_timeout_s)
    region = choose_region(configured=configured, reported=reported)
    address = replace(address, region=region or DEFAULT_REGION)
    credentials = None
    if not access.anonymous:
        aws = await load_aws(shared)
        credentials = await sign_in(aws.look_up(ref.url, access.profile, access.ca_bundle, environ))
    return S3Place(address, credentials, tls, configured, reported)


async def settle_region(place: S3Place, ref: Ref, session: aiohttp.ClientSession) -> S3Place:
    """Return *place* with the region that the service wants requests to be signed for.

    Services such as MinIO report it only in the refusal of a request that is signed for another. Reads learn
    from that by themselves; this is for botocore, which is told a region.
    """
    if place.credentials is None or place.reported_region is not None:
        return place
    service = S3Service(ref.url, place.address, ref.prefix, place.credentials)
    try:
        with translate_connection_errors(ref.url):
            asking = await service.prepare("info")
            headers = {**asking.headers, "Range": "bytes=0-0"}
            response = await session.get(asking.url, headers=headers, allow_redirects=False)
            refusal = await read_refusal(response)
    except StoreError:
        return place  # whoever asks next says why
    if not refusal.region:
        return place
    address = replace(place.address, region=refusal.region)
    return replace(place, address=address, reported_region=refusal.region)


def open_s3_session(
    place: S3Place, limits: UpstreamLimits, environ: Mapping[str, str]
) -> aiohttp.ClientSession:
    """Open the HTTP client for a bucket."""
    return open_session(place.address.url, place.tls, limits, environ)


async def _load_settings(
    ref: Ref, access: BucketAccess, environ: Mapping[str, str], shared: Shared
) -> AwsSettings:
    """Return the settings of the environment and the dotfiles.

    An anonymous store takes nothing from a profile but region and endpoint. If it names both, no profile is
    opened. If the environment names a profile that cannot be used, it does without.
    """
    if access.anonymous and access.profile is None and access.region and (access.endpoint or ref.endpoint):
        return settings_of_environment(environ)
    aws = await load_aws(shared)
    try:
        return (await aws.profiles.open(access.profile, access.ca_bundle, environ)).settings
    except ConfigError:
        if access.anonymous and access.profile is None:
            return settings_of_environment(environ)
        raise
