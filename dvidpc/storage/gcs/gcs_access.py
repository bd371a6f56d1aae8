"""Finds the endpoint of Google Cloud Storage and the credentials to use there."""

from collections.abc import Mapping
from dataclasses import dataclass

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.credentials import Credentials, sign_in
from dvidpc.storage.http.tls import SYSTEM, Tls
from dvidpc.storage.ref import Ref, parse_endpoint
from dvidpc.storage.vendors import load_google_look_up

DEFAULT_ENDPOINT = "https://storage.googleapis.com"


@dataclass(frozen=True, slots=True)
class GooglePlace:
    """How to reach a bucket."""

    endpoint: str
    credentials: Credentials | None
    """Looked up already; None for unsigned requests."""

    def identify(self, store_url: str) -> str:
        """Return the `ObjectStore.identity` of a store at this endpoint."""
        return store_url if self.endpoint == DEFAULT_ENDPOINT else f"{self.endpoint} {store_url}"


async def reach_gcs(
    ref: Ref, access: BucketAccess, environ: Mapping[str, str], tls: Tls = SYSTEM
) -> GooglePlace:
    """Choose the endpoint, and look up credentials.

    As in Google's own clients, `STORAGE_EMULATOR_HOST` names an endpoint to which requests are unsigned.

    Args:
        ref: The bucket.
        access: How to sign in there.
        environ: The contents of `os.environ`.
        tls: Whom to trust among the services that hand out tokens.

    Raises:
        ConfigError: The endpoint is not a URL.
        StoreError: There are no credentials, or they cannot be looked up now.
    """
    emulator = environ.get("STORAGE_EMULATOR_HOST") if access.endpoint is None else None
    if emulator and "://" not in emulator:
        emulator = f"http://{emulator}"
    endpoint = parse_endpoint(access.endpoint or emulator or DEFAULT_ENDPOINT)
    if access.anonymous or emulator is not None:
        return GooglePlace(endpoint, None)
    make_look_up = await load_google_look_up()
    return GooglePlace(endpoint, await sign_in(make_look_up(ref.url, environ, tls)))


def billing_headers(access: BucketAccess) -> dict[str, str]:
    """Return the headers that name the project to bill; none if the bucket's own is billed."""
    return {} if access.user_project is None else {"x-goog-user-project": access.user_project}
