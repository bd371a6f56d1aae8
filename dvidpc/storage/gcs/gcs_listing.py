"""Lists Google Cloud Storage buckets by gcloud-aio-storage."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from gcloud.aio.storage import Storage

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.credentials import Credentials
from dvidpc.storage.gcs.gcs_access import billing_headers, reach_gcs
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.http_errors import listing_error_of
from dvidpc.storage.http.service import Refusal
from dvidpc.storage.http.session import open_session, refuse_redirects
from dvidpc.storage.listing import PAGE_SIZE, PAGE_TIMEOUT_S, BucketLister, StoredObject
from dvidpc.storage.ref import Ref
from dvidpc.storage.shared import Shared


async def list_gcs(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> BucketLister:
    """Open a Google bucket for listing; see `open_lister`."""
    tls = await shared.tls.load(access.ca_bundle)
    place = await reach_gcs(ref, access, environ, tls)
    session = open_session(place.endpoint, tls, limits, environ, middlewares=(refuse_redirects,))
    options: dict[str, Any] = {  # its annotations are those of its twin for requests
        "session": session,
        "api_root": place.endpoint,
        "api_is_dev": place.credentials is None,  # sends no token then
        "token": _Token(place.credentials),
    }
    pages = GooglePages(Storage(**options), ref.bucket, billing_headers(access), session, place.credentials)
    return BucketLister(pages, url=ref.url, prefix=ref.prefix)


class GooglePages:
    """A `PageSource` over a Google bucket."""

    def __init__(
        self,
        storage: Storage,
        bucket: str,
        headers: Mapping[str, str],
        session: aiohttp.ClientSession,
        credentials: Credentials | None,
    ) -> None:
        """List by *storage*.

        Args:
            storage: Of gcloud-aio-storage.
            bucket: The bucket's name.
            headers: Headers of every request.
            session: What *storage* sends with; closed with this source.
            credentials: What *storage* signs with; closed with this source. None if it does not sign.
        """
        self._storage = storage
        self._bucket = bucket
        self._headers = headers
        self._session = session
        self._credentials = credentials

    async def pages(self, name: str, prefix: str, after: str | None) -> AsyncIterator[Sequence[StoredObject]]:
        """As `PageSource.pages`."""
        question = {
            "prefix": prefix,
            "maxResults": str(PAGE_SIZE),
            "fields": "nextPageToken,items(name,size)",
            **({"startOffset": after} if after else {}),  # which includes that object
        }
        while True:
            with _translate_errors(name):
                answer = await self._storage.list_objects(
                    self._bucket, params=question, headers=dict(self._headers), timeout=int(PAGE_TIMEOUT_S)
                )
                found = [
                    StoredObject(str(item["name"]), int(item["size"])) for item in answer.get("items", [])
                ]
                token = answer.get("nextPageToken")
            yield [entry for entry in found if entry.key != after]
            if not token:
                return
            question = {**question, "pageToken": str(token)}

    async def close(self) -> None:
        """Close the connections and release the credentials."""
        await self._session.close()
        if self._credentials is not None:
            await self._credentials.close()


@dataclass(frozen=True, slots=True)
class _Token:
    """Gives gcloud-aio-storage our token instead of one that it would look up."""

    credentials: Credentials | None

    async def get(self) -> str:
        if self.credentials is None:
            return ""
        await self.credentials.ensure()
        return self.credentials.values().get("token") or ""


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Raise `StoreError`s in place of gcloud-aio-storage's errors for a listing of the directory *name*."""
    try:
        with translate_connection_errors(name, "listed"):
            try:
                yield
            except aiohttp.ClientResponseError as error:
                if error.status < 300:  # the response itself is malformed
                    raise
                code = "NoSuchBucket" if error.status == 404 else ""
                raise listing_error_of(name, Refusal(error.status, error.headers or {}, code)) from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoreError(f"{name} cannot be listed: the response is not a listing") from error
