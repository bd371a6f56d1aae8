"""Opens S3 buckets for reading: at AWS, VAST or any other endpoint."""

from collections.abc import Mapping

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.region import log_region
from dvidpc.storage.s3.s3_access import open_s3_session, reach_s3
from dvidpc.storage.s3.s3_service import S3Service
from dvidpc.storage.shared import Shared


async def open_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> HttpStore:
    """Open an S3 bucket for reading; see `open_store`."""
    place = await reach_s3(ref, access, limits, environ, shared)
    log_region(ref.url, configured=place.configured_region, reported=place.reported_region)
    address = place.address
    service = S3Service(ref.url, address, ref.prefix, place.credentials, requester_pays=access.requester_pays)
    return HttpStore(
        open_s3_session(place, limits, environ),
        service,
        url=ref.url,
        identity=address.identify(ref.url),
        missing_status=access.missing_status,
        ignore_etag=access.ignore_etag,
    )
