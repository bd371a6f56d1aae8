"""Settings of S3 in the environment and the dotfiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Settings of the environment and the dotfiles; None for those that neither names.

    `AWS_REGION` is read first, as Go's SDK does and so DVID: botocore itself reads only `AWS_DEFAULT_REGION`.
    """

    region: str | None
    endpoint: str | None
    ca_bundle: Path | None
    path_style: bool | None = None
    """By `addressing_style`; None if that leaves it open."""


def settings_of_environment(environ: Mapping[str, str]) -> AwsSettings:
    """Return the settings of the environment alone."""
    ca_bundle = environ.get("AWS_CA_BUNDLE")
    endpoint = None
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    return AwsSettings(
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
        endpoint=endpoint,
        ca_bundle=Path(ca_bundle) if ca_bundle else None,
    )
