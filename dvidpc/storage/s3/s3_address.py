"""Finds the address of an S3 bucket: at AWS, VAST or any other endpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dvidpc.errors import ConfigError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import Ref, parse_endpoint

DEFAULT_REGION = "us-east-1"
_HOST_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """How to address a bucket."""

    bucket: str
    region: str
    service: str | None
    """The endpoint's URL; None for AWS's own."""
    path_style: bool
    """Whether the bucket's name is in the path; else it is in the host name."""

    @property
    def url(self) -> str:
        """The URL of the bucket itself."""
        service = self.service or f"https://s3.{self.region}.{_domain(self.region)}"
        if self.path_style:
            return f"{service}/{self.bucket}"
        scheme, _, rest = service.partition("://")
        return f"{scheme}://{self.bucket}.{rest}/"

    def identify(self, store_url: str) -> str:
        """Return the `ObjectStore.identity` of a store in this bucket."""
        return store_url if self.service is None else f"{self.service} {store_url}"


def locate_bucket(
    ref: Ref,
    access: BucketAccess,
    *,
    default_endpoint: str | None,
    region: str | None,
    default_path_style: bool | None = None,
) -> BucketAddress:
    """Return the bucket's address: by the ref, else the configuration, else *default_endpoint*, else AWS.

    Where neither the configuration nor *default_path_style* says, the bucket's name is in the path; at AWS it
    is in the host name unless no certificate can cover that.

    Raises:
        ConfigError: The ref and the configuration name different endpoints, or one is not a URL.
    """
    written = access.endpoint or (None if ref.endpoint else default_endpoint)
    service = parse_endpoint(written) if written else None
    if ref.endpoint and service not in {None, ref.endpoint}:
        raise ConfigError(f"{ref.url} names another endpoint than the key endpoint: {service}")
    service = ref.endpoint or service
    path_style = default_path_style if access.path_style is None else access.path_style
    if path_style is None:
        path_style = service is not None or not _HOST_NAME.fullmatch(ref.bucket)
    return BucketAddress(ref.bucket, region or DEFAULT_REGION, service, path_style)


def find_path_style(profile: Mapping[str, object]) -> bool | None:
    """Return what `addressing_style` of a profile in `~/.aws/config` says; None if it leaves it open."""
    settings = profile.get("s3")
    style = settings.get("addressing_style") if isinstance(settings, Mapping) else None
    return {"path": True, "virtual": False}.get(str(style))


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
