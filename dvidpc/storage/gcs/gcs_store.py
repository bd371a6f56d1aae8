"""Opens Google Cloud Storage buckets for reading."""

from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.gcs.gcs_access import billing_headers, reach_gcs
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.http.service import Asking, Refusal
from dvidpc.storage.http.session import open_session
from dvidpc.storage.ref import Ref
from dvidpc.storage.shared import Shared


async def open_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> HttpStore:
    """Open a Google bucket for reading; see `open_store`."""
    tls = await shared.tls.load(access.ca_bundle)
    place = await reach_gcs(ref, access, environ, tls)
    service = GoogleService(
        f"{place.endpoint}/{quote(f'{ref.bucket}/{ref.prefix}'.rstrip('/'))}",
        place.credentials,
        # Without this header Google decompresses gzip objects, and sends all of them for a range.
        {"Accept-Encoding": "gzip", **billing_headers(access)},
    )
    return HttpStore(
        open_session(place.endpoint, tls, limits, environ),
        service,
        url=ref.url,
        identity=place.identify(ref.url),
        missing_status=access.missing_status,
        ignore_etag=access.ignore_etag,
    )


class GoogleService:
    """An `HttpService` of Google Cloud Storage, by its XML API."""

    def __init__(self, base: str, credentials: Credentials | None, headers: Mapping[str, str]) -> None:
        """Prepare requests for objects below a URL.

        Args:
            base: The URL of bucket and prefix.
            credentials: What to sign with; None for unsigned requests.
            headers: Headers of every request.
        """
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

    async def renew(self, asking: Asking, refusal: Refusal) -> bool:
        """As `HttpService.renew`: fetch another token."""
        if self._credentials is None or refusal.status not in {401, 403}:
            return False
        await self._credentials.renew(asking.generation)
        return self._credentials.generation != asking.generation

    async def close(self) -> None:
        """Release the credentials."""
        if self._credentials is not None:
            await self._credentials.close()
