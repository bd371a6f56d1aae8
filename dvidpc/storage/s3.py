"""Opens S3 buckets: at AWS, VAST or any other endpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obstore.store import S3Store

from dvidpc.errors import ConfigError
from dvidpc.storage.aws import AwsLookUp, load_aws_settings
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.client import client_options, no_retries
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.object_store import BucketStore
from dvidpc.storage.ref import Ref, parse_endpoint
from dvidpc.storage.region import ask_region, choose_region
from dvidpc.storage.tls import load_certificates, load_tls_context

if TYPE_CHECKING:
    from obstore.store import S3Credential

DEFAULT_REGION = "us-east-1"
_HOST_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Makes obstore ask for the secret at each request, so that a new one is used at once."""


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """How to reach a bucket."""

    bucket: str
    region: str
    service: str | None
    """The endpoint's URL; None: AWS's own."""
    path_style: bool

    @property
    def endpoint(self) -> str:
        """What obstore calls the endpoint: with the bucket's name in the host unless it is in the path."""
        service = self.service or f"https://s3.{self.region}.{_domain(self.region)}"
        if self.path_style:
            return service
        scheme, _, rest = service.partition("://")
        return f"{scheme}://{self.bucket}.{rest}"

    @property
    def url(self) -> str:
        """The bucket itself."""
        return f"{self.endpoint}/{self.bucket}" if self.path_style else f"{self.endpoint}/"


async def open_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> BucketStore:
    """Open an S3 bucket; see `open_store`."""
    settings = await load_aws_settings(access.profile, environ)
    ca_bundle = access.ca_bundle or settings.ca_bundle
    certificates = await load_certificates(ca_bundle)
    configured = access.region or settings.region
    address = locate_bucket(ref, access, default_endpoint=settings.endpoint, region=configured)
    told = await ask_region(
        address.url, await load_tls_context(ca_bundle), timeout_s=limits.connect_timeout_s
    )
    region = choose_region(ref.url, configured=configured, told=told)
    address = replace(address, region=region or DEFAULT_REGION)
    credentials = None if access.anonymous else Credentials(AwsLookUp(ref.url, access.profile))
    if credentials is not None:
        await credentials.ensure()
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
        client_options=client_options(address.endpoint, limits, certificates),
        retry_config=no_retries(),
        credential_provider=lambda: _signing_key(credentials),
    )
    return BucketStore(
        bucket,
        url=ref.url,
        prefix=ref.prefix,
        missing_status=access.missing_status,
        first_byte_timeout_s=limits.first_byte_timeout_s,
        credentials=credentials,
    )


def locate_bucket(
    ref: Ref, access: BucketAccess, *, default_endpoint: str | None, region: str | None
) -> BucketAddress:
    """Where the bucket is: as the ref says, else the configuration, else *default_endpoint*, else at AWS.

    A bucket at AWS is named in the host unless no certificate can cover that, elsewhere in the path.

    Raises:
        ConfigError: The ref and the configuration name different endpoints, or one is no URL.
    """
    written = access.endpoint or (None if ref.endpoint else default_endpoint)
    service = parse_endpoint(written) if written else None
    if ref.endpoint and service not in {None, ref.endpoint}:
        raise ConfigError(f"{ref.url} names another endpoint than the key endpoint: {service}")
    service = ref.endpoint or service
    path_style = access.path_style
    if path_style is None:
        path_style = service is not None or not _HOST_NAME.fullmatch(ref.bucket)
    return BucketAddress(ref.bucket, region or DEFAULT_REGION, service, path_style)


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _signing_key(credentials: Credentials | None) -> "S3Credential":
    values = credentials.values() if credentials else {}
    return {
        "access_key_id": values.get("access_key_id") or "",
        "secret_access_key": values.get("secret_access_key") or "",
        "token": values.get("token"),
        "expires_at": _LONG_AGO,
    }
