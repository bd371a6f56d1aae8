"""Which endpoint a Google bucket is read from, and what its store is called in cache keys."""

import pytest

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.gcs.gcs_access import DEFAULT_ENDPOINT, billing_headers, reach_gcs
from dvidpc.storage.ref import parse_ref

URL = "gs://bucket/em"


@pytest.mark.parametrize(
    ("endpoint", "emulator", "expected", "identity"),
    [
        (None, None, DEFAULT_ENDPOINT, URL),
        (f"{DEFAULT_ENDPOINT}/", None, DEFAULT_ENDPOINT, URL),
        (None, "localhost:9199", "http://localhost:9199", f"http://localhost:9199 {URL}"),
        (None, "https://fake:9199/", "https://fake:9199", f"https://fake:9199 {URL}"),
        ("https://private", "localhost:9199", "https://private", f"https://private {URL}"),
    ],
)
async def test_endpoint_is_the_configured_one_else_the_emulator_else_google(
    endpoint: str | None, emulator: str | None, expected: str, identity: str
) -> None:
    environ = {"STORAGE_EMULATOR_HOST": emulator} if emulator else {}
    access = BucketAccess(parse_ref(URL), endpoint=endpoint, anonymous=True)
    place = await reach_gcs(parse_ref(URL), access, environ)
    assert (place.endpoint, place.credentials) == (expected, None)
    assert place.identify(URL) == identity


def test_project_to_bill_is_a_header() -> None:
    assert billing_headers(BucketAccess(parse_ref(URL))) == {}
    assert billing_headers(BucketAccess(parse_ref(URL), user_project="mine")) == {
        "x-goog-user-project": "mine"
    }
