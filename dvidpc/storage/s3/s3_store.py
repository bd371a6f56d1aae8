"""Opens S3 buckets: at AWS, VAST or any other endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import S3Store

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.client import ASK_EACH_TIME, client_options, no_retries
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import load_certificates, load_tls_context
from dvidpc.storage.listing import BucketLister
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.aws_credentials import AwsLookUp, load_aws_settings
from dvidpc.storage.s3.region import ask_region, choose_region
from dvidpc.storage.s3.s3_address import DEFAULT_REGION, BucketAddress, locate_bucket
from dvidpc.storage.s3.s3_service import S3Service

if TYPE_CHECKING:
    from obstore.store import S3Credential


async def open_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> HttpStore:
    """Open an S3 bucket for reading; see `open_store`."""
    place = await _reach(ref, access, limits, environ)
    service = S3Service(
        ref.url, place.address, ref.prefix, place.credentials, requester_pays=access.requester_pays
    )
    tls = await load_tls_context(place.ca_bundle)
    session = open_session(place.address.url, tls, limits, environ)
    return HttpStore(session, service, ref.url, access.missing_status)


async def list_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> BucketLister:
    """Open an S3 bucket for listing; see `open_lister`."""
    place = await _reach(ref, access, limits, environ)
    address = place.address
    bucket = S3Store(
        address.bucket,
        config={
            "aws_endpoint_url_s3": address.endpoint,  # prevails over `endpoint` and the environment
            "region": address.region,
            "virtual_hosted_style_request": not address.path_style,
            "skip_signature": access.anonymous,
            "request_payer": access.requester_pays,
            "s3_express": False,
        },
        client_options=client_options(address.endpoint, limits, await load_certificates(place.ca_bundle)),
        retry_config=no_retries(),
        credential_provider=lambda: _signing_key(place.credentials),
    )
    return BucketLister(bucket, url=ref.url, prefix=ref.prefix, credentials=place.credentials)


@dataclass(frozen=True, slots=True)
class _Place:
    address: BucketAddress
    credentials: Credentials | None
    """None: requests are not signed."""
    ca_bundle: Path | None


async def _reach(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> _Place:
    """Find out where to ask, and who we are."""
    settings = await load_aws_settings(access.profile, environ)
    ca_bundle = access.ca_bundle or settings.ca_bundle
    configured = access.region or settings.region
    address = locate_bucket(ref, access, default_endpoint=settings.endpoint, region=configured)
    tls = await load_tls_context(ca_bundle)
    async with open_session(address.url, tls, limits, environ) as session:
        told = await ask_region(session, address.url, timeout_s=limits.connect_timeout_s)
    region = choose_region(ref.url, configured=configured, told=told)
    address = replace(address, region=region or DEFAULT_REGION)
    if access.anonymous:
        return _Place(address, None, ca_bundle)
    credentials = Credentials(AwsLookUp(ref.url, access.profile))
    await credentials.ensure()
    return _Place(address, credentials, ca_bundle)


def _signing_key(credentials: Credentials | None) -> "S3Credential":
    values = credentials.values() if credentials else {}
    return {
        "access_key_id": values.get("access_key_id") or "",
        "secret_access_key": values.get("secret_access_key") or "",
        "token": values.get("token"),
        "expires_at": ASK_EACH_TIME,
    }
