"""Asks Google Cloud Storage what the credentials may do in a bucket."""

from collections.abc import Mapping

import aiohttp

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.gcs.gcs_access import GooglePlace, billing_headers, reach_gcs
from dvidpc.storage.http.session import open_session
from dvidpc.storage.ref import Ref
from dvidpc.storage.shared import Shared

_LIST, _CREATE = "storage.objects.list", "storage.objects.create"
_NO_ANSWER = "the service does not say"


async def inspect_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> BucketRights:
    """Ask about a Google bucket; see `inspect_bucket`.

    gcloud-aio-storage has no call for `testIamPermissions`, so the request is sent directly.
    """
    tls = await shared.tls.load(access.ca_bundle)
    place = await reach_gcs(ref, access, environ, tls)
    try:
        async with open_session(place.endpoint, tls, limits, environ) as session:
            granted, reason = await _test_permissions(session, place, ref.bucket, billing_headers(access))
    finally:
        if place.credentials is not None:
            await place.credentials.close()
    who = "anybody" if place.credentials is None else "the Google credentials"
    if granted is None:
        return BucketRights(who, service="Google", no_list=reason, no_write=reason)
    return BucketRights(who, None, _LIST in granted, _CREATE in granted, service="Google")


async def _test_permissions(
    session: aiohttp.ClientSession, place: GooglePlace, bucket: str, headers: dict[str, str]
) -> tuple[list[str] | None, str]:
    """Return which permissions are granted, and why that is not known: None if Google does not say."""
    if place.credentials is not None:
        headers = {**headers, "Authorization": f"Bearer {place.credentials.values().get('token')}"}
    url = f"{place.endpoint}/storage/v1/b/{bucket}/iam/testPermissions"
    question = [("permissions", _LIST), ("permissions", _CREATE)]
    try:
        async with session.get(
            url, params=question, headers={**headers, "Accept-Encoding": "identity"}, allow_redirects=False
        ) as response:
            if response.status != 200:
                return None, f"the service answers {response.status}"
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return None, "no answer" if isinstance(error, aiohttp.ClientConnectionError) else _NO_ANSWER
    granted = answer.get("permissions", []) if isinstance(answer, dict) else None
    return (granted, "") if isinstance(granted, list) else (None, _NO_ANSWER)
