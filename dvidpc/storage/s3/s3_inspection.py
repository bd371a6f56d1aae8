"""Asks AWS or a compatible service what the credentials may do in a bucket."""

from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.http.routed_client import RoutedClient
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.s3_access import S3Place, open_s3_session, reach_s3
from dvidpc.storage.s3.s3_client import AwsClient, make_library, open_client, refusal_of
from dvidpc.storage.shared import Shared

_PROBE = ".dvidpc-check"
"""The key of the upload that is begun and aborted."""


async def inspect_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> BucketRights:
    """Ask about an S3 bucket; see `inspect_bucket`.

    S3 cannot be asked whether writing is allowed. A multipart upload is begun and aborted at once instead:
    that takes the same permission and leaves no object.
    """
    place = await reach_s3(ref, access, limits, environ, shared)
    try:
        async with (
            open_s3_session(place, limits, environ) as session,
            open_client("s3", place, session, make_library()) as client,
        ):
            may_list = await _may_list(client, ref)
            may_write = False if place.credentials is None else await _may_write(client, ref)
            who = await _identify(place, environ)
    except (BotoCoreError, ValueError) as error:  # botocore makes no client for such a region or endpoint
        raise StoreError(f"{ref.url} cannot be inspected: {type(error).__name__}") from error
    finally:
        if place.credentials is not None:
            await place.credentials.close()
    return BucketRights(who, place.reported_region, may_list, may_write, place.configured_region)


async def _identify(place: S3Place, environ: Mapping[str, str]) -> str:
    """Return whose credentials they are; only AWS has a service (STS) that tells."""
    if place.credentials is None:
        return "anybody"
    if place.address.service is None:
        async with (
            RoutedClient(place.tls, environ) as sender,
            open_client("sts", place, sender, make_library()) as client,
        ):
            _, answer = await _ask(client.get_caller_identity())
        if arn := answer.get("Arn"):
            return str(arn)
    return f"access key {place.credentials.values().get('access_key_id')}"


async def _may_list(client: AwsClient, ref: Ref) -> bool | None:
    status, _ = await _ask(client.list_objects_v2(Bucket=ref.bucket, Prefix=ref.prefix, MaxKeys=1))
    return _verdict(status)


async def _may_write(client: AwsClient, ref: Ref) -> bool | None:
    key = f"{ref.prefix}/{_PROBE}" if ref.prefix else _PROBE
    status, begun = await _ask(client.create_multipart_upload(Bucket=ref.bucket, Key=key))
    if upload := begun.get("UploadId"):
        await _ask(client.abort_multipart_upload(Bucket=ref.bucket, Key=key, UploadId=upload))
        return True
    return _verdict(status)


async def _ask(call: Awaitable[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return status and answer of a call, the answer empty for an error; status 0 if nobody answers."""
    try:
        answer = await call
    except ClientError as error:
        return refusal_of(error).status, {}
    except (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError, ValueError):
        return 0, {}
    return int(answer["ResponseMetadata"]["HTTPStatusCode"]), answer


def _verdict(status: int) -> bool | None:
    return {200: True, 401: False, 403: False}.get(status)
