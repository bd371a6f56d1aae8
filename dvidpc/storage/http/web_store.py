"""Opens directories of plain web servers."""

from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.http.http_store import HttpStore
from dvidpc.storage.http.service import Asking, Refusal
from dvidpc.storage.http.session import open_session
from dvidpc.storage.http.tls import load_tls_context
from dvidpc.storage.ref import Ref


async def open_web(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str]
) -> HttpStore:
    """Open a web server's directory; see `open_store`. Nothing that would say who we are is sent."""
    session = open_session(ref.url, await load_tls_context(access.ca_bundle), limits, environ)
    return HttpStore(session, WebService(ref.url), ref.url, access.missing_status)


class WebService:
    """An `HttpService` that anybody may read."""

    def __init__(self, url: str) -> None:
        self._base = str(URL(url)).rstrip("/")  # what is not ASCII in it is encoded

    async def prepare(self, key: str) -> Asking:
        """As `HttpService.prepare`."""
        return Asking(URL(f"{self._base}/{quote(key)}", encoded=True), {})

    async def mend(self, asking: Asking, refusal: Refusal) -> bool:  # noqa: ARG002
        """There is nothing that we could say otherwise."""
        return False

    async def close(self) -> None:
        """There is nothing to let go of."""
