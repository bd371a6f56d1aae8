"""Finds out who we are to a bucket, where it is, and whether we may do more there than we need."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.gcs.gcs_store import DEFAULT_ENDPOINT
from dvidpc.storage.gcs.google_credentials import GoogleLookUp
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import load_tls_context
from dvidpc.storage.ref import Kind, Ref
from dvidpc.storage.s3.aws_credentials import AwsLookUp, load_aws_settings
from dvidpc.storage.s3.region import ask_region
from dvidpc.storage.s3.s3_address import locate_bucket
from dvidpc.types import Finding

_PROBE = ".dvidpc-check"
"""The key of an upload that is begun and given up, to learn whether it may be."""
_TIMEOUT_S = 5.0
_READING_IS_ENOUGH = "reading is all the server needs"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; None: that cannot be told."""

    who: str | None
    """Never a secret."""
    region: str | None = None
    may_list: bool | None = None
    may_write: bool | None = None
    configured_region: str | None = None
    """None: nobody said; else what the configuration or the environment says."""

    def line(self) -> str:
        """All of it, for a person."""
        words = {True: "yes", False: "no", None: "not known"}
        region = f", region {self.region}" if self.region else ""
        who = self.who or "somebody"
        return f"read as {who}{region}; may list: {words[self.may_list]}, may write: {words[self.may_write]}"

    def warnings(self) -> list[Finding]:
        """What should be otherwise, and how to mend it."""
        found = []
        if self.may_write:
            found.append(
                Finding(
                    f"{self.who or 'the server'} may write there; {_READING_IS_ENOUGH}",
                    "grant only s3:GetObject and s3:ListBucket, or roles/storage.objectViewer",
                )
            )
        if self.may_list is False:
            found.append(
                Finding(
                    "listing is forbidden, so that S3 answers 403 where a chunk is missing",
                    "allow s3:ListBucket, or set missing_status = [403, 404]",
                )
            )
        if self.region and self.configured_region not in {None, self.region}:
            found.append(
                Finding(
                    f"the bucket lies in region {self.region}, not in {self.configured_region} as "
                    "configured; it is read there all the same, after asking where it is",
                    f'region = "{self.region}"',
                )
            )
        return found


async def inspect_bucket(access: BucketAccess, environ: Mapping[str, str]) -> Inspection:
    """Ask about the bucket of *access*; nothing is left behind there.

    S3 has no question for "may I write": an upload in parts is begun and given up at once, which needs
    the same right and makes no object.

    Raises:
        ConfigError: The configuration cannot be right.
        StoreError: There are no credentials, or they cannot be had now.
    """
    ref = access.ref
    match ref.kind:
        case Kind.S3 | Kind.VAST:
            return await _inspect_s3(ref, access, environ)
        case Kind.GCS:
            return await _inspect_google(ref, access, environ)
        case Kind.FILE:
            return Inspection(f"user {os.getuid()}", None, os.access(Path(ref.prefix), os.R_OK))
        case Kind.HTTP:
            return Inspection("anybody")


async def _inspect_s3(ref: Ref, access: BucketAccess, environ: Mapping[str, str]) -> Inspection:
    from aiobotocore.config import AioConfig  # noqa: PLC0415  # slow to import
    from aiobotocore.session import AioSession  # noqa: PLC0415  # likewise
    from botocore import UNSIGNED  # noqa: PLC0415  # likewise

    settings = await load_aws_settings(access.profile, environ)
    configured = access.region or settings.region
    address = locate_bucket(ref, access, default_endpoint=settings.endpoint, region=configured)
    ca_bundle = access.ca_bundle or settings.ca_bundle
    tls = await load_tls_context(ca_bundle)
    async with open_session(address.url, tls, UpstreamLimits(), environ) as session:
        region = await ask_region(session, address.url, timeout_s=_TIMEOUT_S)
    values: Mapping[str, str | None] = {}
    if not access.anonymous:
        values = (await AwsLookUp(ref.url, access.profile)(anew=True)).values
    config = AioConfig(
        signature_version=UNSIGNED if access.anonymous else "s3v4",
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
        retries={"max_attempts": 1},
        s3={"addressing_style": "path" if address.path_style else "virtual"},
    )
    options = {
        "region_name": region or address.region,
        "aws_access_key_id": values.get("access_key_id"),
        "aws_secret_access_key": values.get("secret_access_key"),
        "aws_session_token": values.get("token"),
        "verify": str(ca_bundle) if ca_bundle else None,
        "config": config,
    }
    session = AioSession()
    async with session.create_client("s3", endpoint_url=address.service, **options) as client:
        client.meta.events.register("before-call.s3", _stay)
        may_list = await _allowed(client.list_objects_v2(Bucket=address.bucket, Prefix=ref.prefix, MaxKeys=1))
        may_write = False if access.anonymous else await _may_upload(client, address.bucket, ref.prefix)
    if access.anonymous:
        return Inspection("anybody", region, may_list, may_write, configured)
    who = f"access key {values.get('access_key_id')}"
    if address.service is None:  # other services than AWS's have no STS beside them
        async with session.create_client("sts", **options) as client:
            who = await _identity(client) or who
    return Inspection(who, region, may_list, may_write, configured)


def _stay(context: dict[str, Any], **_: object) -> None:
    """Keep botocore from following redirects: one that names no region it follows until the stack is full."""
    context.setdefault("s3_redirect", {})["redirected"] = True


async def _identity(client: Any) -> str | None:  # noqa: ANN401  # aiobotocore is untyped
    arn: str | None = (await _ask(client.get_caller_identity())).get("Arn")
    return arn


async def _may_upload(client: Any, bucket: str, prefix: str) -> bool | None:  # noqa: ANN401  # likewise
    key = f"{prefix}/{_PROBE}" if prefix else _PROBE
    begun = await _ask(client.create_multipart_upload(Bucket=bucket, Key=key))
    if upload := begun.get("UploadId"):
        await _ask(client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload))
        return True
    return _verdict(begun)


async def _allowed(call: Any) -> bool | None:  # noqa: ANN401  # likewise
    return _verdict(await _ask(call))


async def _ask(call: Any) -> dict[str, Any]:  # noqa: ANN401  # likewise
    """The answer, an error's too; empty where nobody answers."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # slow to import

    try:
        answer: dict[str, Any] = await call
    except ClientError as error:
        answer = dict(error.response)
    except (BotoCoreError, aiohttp.ClientError, OSError):
        answer = {}
    return answer


def _verdict(answer: Mapping[str, Any]) -> bool | None:
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return {200: True, 401: False, 403: False}.get(status)


async def _inspect_google(ref: Ref, access: BucketAccess, environ: Mapping[str, str]) -> Inspection:
    headers = {}
    if not access.anonymous:
        secret = await GoogleLookUp(ref.url, environ)(anew=True)
        headers["Authorization"] = f"Bearer {secret.values['token']}"
    endpoint = (access.endpoint or DEFAULT_ENDPOINT).rstrip("/")
    url = f"{endpoint}/storage/v1/b/{ref.bucket}/iam/testPermissions"
    asked = [("permissions", "storage.objects.list"), ("permissions", "storage.objects.create")]
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    who = "anybody" if access.anonymous else "the Google credentials"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(url, params=asked, allow_redirects=False) as response,
        ):
            granted = (await response.json()).get("permissions", []) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError):
        granted = None
    if granted is None:
        return Inspection(who)
    return Inspection(who, None, "storage.objects.list" in granted, "storage.objects.create" in granted)
