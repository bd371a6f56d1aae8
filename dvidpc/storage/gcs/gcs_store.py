"""Opens Google Cloud Storage buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from obstore.store import GCSStore
from yarl import URL

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.client import ASK_EACH_TIME, client_options, no_retries
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.gcs.google_credentials import GoogleLookUp
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.http.service import Asking, Refusal
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import load_certificates, load_tls_context
from dvidpc.storage.listing import BucketLister
from dvidpc.storage.ref import Ref, parse_endpoint

if TYPE_CHECKING:
    from obstore.store import GCSCredential

DEFAULT_ENDPOINT = "https://storage.googleapis.com"


async def open_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> HttpStore:
    """Open a Google bucket for reading; see `open_store`."""
    tls = await load_tls_context(access.ca_bundle)
    place = await _reach(ref, access, environ)
    service = GoogleService(
        f"{place.endpoint}/{quote(f'{ref.bucket}/{ref.prefix}'.rstrip('/'))}",
        place.credentials,
        _headers(access),
    )
    return HttpStore(
        open_session(place.endpoint, tls, limits, environ), service, ref.url, access.missing_status
    )


async def list_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> BucketLister:
    """Open a Google bucket for listing; see `open_lister`."""
    certificates = await load_certificates(access.ca_bundle)
    place = await _reach(ref, access, environ)
    bucket = GCSStore(
        ref.bucket,
        config={"base_url": place.endpoint, "skip_signature": place.credentials is None},
        client_options=client_options(place.endpoint, limits, certificates, _headers(access)),
        retry_config=no_retries(),
        credential_provider=lambda: _token(place.credentials),
    )
    return BucketLister(bucket, url=ref.url, prefix=ref.prefix, credentials=place.credentials)


class GoogleService:
    """An `HttpService` of Google Cloud Storage, by its XML API."""

    def __init__(self, base: str, credentials: Credentials | None, headers: Mapping[str, str]) -> None:
        """Ask below the URL *base*, by *credentials* if there are any, sending *headers* each time."""
        self._base = base
        self._credentials = credentials
        self._headers = headers

    async def prepare(self, key: str) -> Asking:
        """As `HttpService.prepare`."""
        url = URL(f"{self._base}/{quote(key)}", encoded=True)
        if self._credentials is None:
            return Asking(url, self._headers)
        await self._credentials.ensure()
        token = self._credentials.values().get("token") or ""
        headers = {**self._headers, "Authorization": f"Bearer {token}"}
        return Asking(url, headers, self._credentials.generation)

    async def mend(self, asking: Asking, refusal: Refusal) -> bool:
        """Look for another token."""
        if self._credentials is None or refusal.status not in {401, 403}:
            return False
        await self._credentials.renew(asking.generation)
        return self._credentials.generation != asking.generation

    async def close(self) -> None:
        """Forget the token."""
        if self._credentials is not None:
            await self._credentials.close()


@dataclass(frozen=True, slots=True)
class _Place:
    endpoint: str
    credentials: Credentials | None
    """None: requests are not signed."""


async def _reach(ref: Ref, access: BucketAccess, environ: Mapping[str, str]) -> _Place:
    """Find out where to ask, and who we are.

    `STORAGE_EMULATOR_HOST` names an endpoint as for Google's own clients, which do not sign there either.
    """
    emulator = environ.get("STORAGE_EMULATOR_HOST") if access.endpoint is None else None
    if emulator and "://" not in emulator:
        emulator = f"http://{emulator}"
    endpoint = parse_endpoint(access.endpoint or emulator or DEFAULT_ENDPOINT)
    if access.anonymous or emulator is not None:
        return _Place(endpoint, None)
    credentials = Credentials(GoogleLookUp(ref.url, environ))
    await credentials.ensure()
    return _Place(endpoint, credentials)


def _headers(access: BucketAccess) -> dict[str, str]:
    """Without `Accept-Encoding: gzip` Google decompresses gzip objects, and sends all of them for a range."""
    headers = {"Accept-Encoding": "gzip"}
    if access.user_project is not None:
        headers["x-goog-user-project"] = access.user_project
    return headers


def _token(credentials: Credentials | None) -> "GCSCredential":
    values = credentials.values() if credentials else {}
    return {"token": values.get("token") or "", "expires_at": ASK_EACH_TIME}
