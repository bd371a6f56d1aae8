"""Opens directories of plain web servers."""

from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.http.service import Asking, Refusal
from dvidpc.storage.http.session import open_session
from dvidpc.storage.ref import Ref
from dvidpc.storage.shared import Shared


async def open_web(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> HttpStore:
    """Open a directory of a web server; see `open_store`. Requests carry no credentials."""
    session = open_session(ref.url, await shared.tls.load(access.ca_bundle), limits, environ)
    return HttpStore(
        session,
        WebService(ref.url),
        url=ref.url,
        identity=ref.url,
        missing_status=access.missing_status,
        ignore_etag=access.ignore_etag,
    )


class WebService:
    """An `HttpService` for anonymous reads below one URL."""

    def __init__(self, url: str) -> None:
        self._base = str(URL(url)).rstrip("/")  # percent-encodes characters that are not ASCII

    async def prepare(self, key: str) -> Asking:
        """As `HttpService.prepare`."""
        return Asking(URL(f"{self._base}/{quote(key)}", encoded=True), {})

    async def renew(self, asking: Asking, refusal: Refusal) -> bool:
        """As `HttpService.renew`: the request would not change."""
        del asking, refusal
        return False

    async def close(self) -> None:
        """Do nothing: there are no credentials."""
