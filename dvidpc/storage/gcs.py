"""Opens Google Cloud Storage buckets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obstore.store import GCSStore

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.client import client_options, no_retries
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.google import GoogleLookUp
from dvidpc.storage.object_store import BucketStore
from dvidpc.storage.ref import Ref, parse_endpoint
from dvidpc.storage.tls import load_certificates

if TYPE_CHECKING:
    from obstore.store import GCSCredential

DEFAULT_ENDPOINT = "https://storage.googleapis.com"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Makes obstore ask for the token at each request, so that a new one is used at once."""


async def open_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> BucketStore:
    """Open a Google bucket; see `open_store`.

    `STORAGE_EMULATOR_HOST` names an endpoint as for Google's own clients, which do not sign there either.
    """
    emulator = environ.get("STORAGE_EMULATOR_HOST") if access.endpoint is None else None
    if emulator and "://" not in emulator:
        emulator = f"http://{emulator}"
    endpoint = parse_endpoint(access.endpoint or emulator or DEFAULT_ENDPOINT)
    anonymous = access.anonymous or emulator is not None
    certificates = await load_certificates(access.ca_bundle)
    credentials = None if anonymous else Credentials(GoogleLookUp(ref.url, environ))
    if credentials is not None:
        await credentials.ensure()
    bucket = GCSStore(
        ref.bucket,
        config={"base_url": endpoint, "skip_signature": anonymous},
        client_options=client_options(endpoint, limits, certificates, _headers(access)),
        retry_config=no_retries(),
        credential_provider=lambda: _token(credentials),
    )
    return BucketStore(
        bucket,
        url=ref.url,
        prefix=ref.prefix,
        missing_status=access.missing_status,
        first_byte_timeout_s=limits.first_byte_timeout_s,
        credentials=credentials,
    )


def _headers(access: BucketAccess) -> dict[str, str]:
    """Without `Accept-Encoding: gzip` Google decompresses gzip objects, and sends all of them for a range."""
    headers = {"accept-encoding": "gzip"}
    if access.user_project is not None:
        headers["x-goog-user-project"] = access.user_project
    return headers


def _token(credentials: Credentials | None) -> "GCSCredential":
    values = credentials.values() if credentials else {}
    return {"token": values.get("token") or "", "expires_at": _LONG_AGO}
