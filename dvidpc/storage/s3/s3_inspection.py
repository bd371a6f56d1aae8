"""Asks AWS or a compatible service what the credentials may do in a bucket. It never writes there."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import aiohttp
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from yarl import URL

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.http.routed_client import RoutedClient
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.s3_access import S3Place, open_s3_session, reach_s3, settle_region
from dvidpc.storage.s3.s3_client import AwsClient, make_library, open_client, refusal_of
from dvidpc.storage.shared import Shared

_PROBE: Final = ".dvidpc-check"
"""Name of an object that is never written, and of a multipart upload that was never begun."""
_NO_PARTS: Final = {"Parts": [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}]}
_DENIED: Final = frozenset({"AccessDenied", "AccessForbidden", "Forbidden", "Unauthorized", "403"})
"""Codes of a status 403 that mean a missing right; botocore writes `403` for a response without a code."""
_IN_LISTINGS: Final = frozenset({"Contents", "IsTruncated", "KeyCount", "Name"})
"""At least one of these is in a listing; botocore reads other XML as a listing of nothing."""
_CODE: Final = re.compile(r"[A-Za-z]{1,64}", re.ASCII)


class _Reply(NamedTuple):
    """What the service answered to one call."""

    status: int
    """0 if nobody answered."""
    code: str
    """Empty for a success."""
    answer: dict[str, Any]
    """Empty for an error."""

    @property
    def denies(self) -> bool:
        """Whether it says that a right is missing."""
        return self.status == 403 and self.code in _DENIED

    @property
    def reason(self) -> str:
        """Why the answer does not say whether the right is there."""
        if not self.status:
            return "no answer"
        code = f" {self.code}" if _CODE.fullmatch(self.code) else ""
        return f"the service answers {self.status}{code}"


async def inspect_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> BucketRights:
    """Ask about an S3 bucket; see `inspect_bucket`."""
    place = await reach_s3(ref, access, limits, environ, shared)
    try:
        async with AsyncExitStack() as opened:
            session = await opened.enter_async_context(open_s3_session(place, limits, environ))
            place = await settle_region(place, ref, session)
            client = await opened.enter_async_context(open_client("s3", place, session, make_library()))
            client.meta.events.register_first("before-send.s3", _refuse_hosts_but(place.address.url))
            payer = {"RequestPayer": "requester"} if access.requester_pays else {}
            bucket = _Bucket(client, {"Bucket": ref.bucket, **payer}, f"{ref.prefix}/" if ref.prefix else "")
            may_list, no_list = await bucket.may_list()
            may_write, no_write = None, ""
            if place.credentials is not None and (may_list or await bucket.holds_info()):
                may_write, no_write = await bucket.may_write()
            who = await _identify(place, environ)
    except (BotoCoreError, ValueError) as error:  # botocore makes no client for such a region or endpoint
        raise StoreError(f"{ref.url} cannot be inspected: {type(error).__name__}") from error
    finally:
        if place.credentials is not None:
            await place.credentials.close()
    return BucketRights(
        who,
        place.reported_region,
        may_list,
        may_write,
        place.configured_region,
        service="S3",
        no_list=no_list,
        no_write=no_write,
    )


async def _identify(place: S3Place, environ: Mapping[str, str]) -> str:
    """Return whose credentials they are; only AWS has a service (STS) that tells."""
    if place.credentials is None:
        return "anybody"
    if place.address.service is None:
        async with (
            RoutedClient(place.tls, environ) as sender,
            open_client("sts", place, sender, make_library()) as client,
        ):
            reply = await _ask(client.get_caller_identity())
        if arn := reply.answer.get("Arn"):
            return str(arn)
    return f"access key {place.credentials.values().get('access_key_id')}"


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket, and the questions about it. Each answer is None, with the reason, if it is not known."""

    client: AwsClient
    question: Mapping[str, str]
    """What every call says: the bucket, and who pays."""
    prefix: str
    """With a `/` at its end; empty for the whole bucket."""

    async def may_list(self) -> tuple[bool | None, str]:
        """Return whether the volume may be listed."""
        reply = await _ask(self.client.list_objects_v2(**self.question, Prefix=self.prefix, MaxKeys=1))
        if _IN_LISTINGS & reply.answer.keys():
            return True, ""
        return (False, "") if reply.denies else (None, reply.reason)

    async def holds_info(self) -> bool:
        """Return whether the bucket is known to exist, because the `info` of the volume does."""
        reply = await _ask(self.client.head_object(**self.question, Key=f"{self.prefix}info"))
        return reply.status == 200

    async def may_write(self) -> tuple[bool | None, str]:
        """Return whether writing is allowed.

        S3 cannot be asked. Completing a multipart upload takes the same permission, and the upload that is
        named was never begun, so the request cannot write on any service: it carries no data of an object.
        The caller has made sure that the bucket exists, because some services create one that is missing.
        """
        reply = await _ask(
            self.client.complete_multipart_upload(
                **self.question, Key=f"{self.prefix}{_PROBE}", UploadId=_PROBE, MultipartUpload=_NO_PARTS
            )
        )
        if reply.code == "NoSuchUpload":
            return True, ""
        return (False, "") if reply.denies else (None, reply.reason)


async def _ask(call: Awaitable[dict[str, Any]]) -> _Reply:
    try:
        answer = await call
    except ClientError as error:
        refusal = refusal_of(error)
        return _Reply(refusal.status, refusal.code, {})
    except (BotoCoreError, ResponseParserError, StoreError, aiohttp.ClientError, OSError, ValueError):
        return _Reply(0, "", {})
    return _Reply(int(answer["ResponseMetadata"]["HTTPStatusCode"]), "", answer)


def _refuse_hosts_but(bucket_url: str) -> Callable[..., None]:
    """Return a handler that lets no request go elsewhere than reads go.

    botocore puts a bucket with a dot in its name into the path whatever it is told. A listing that works
    there says nothing about reads, which fail because no certificate covers the host.
    """
    host = URL(bucket_url).host

    def check(request: AWSPreparedRequest, **_: object) -> None:
        if URL(request.url).host != host:
            raise ValueError("botocore addresses the bucket in another way than reads do")

    return check
