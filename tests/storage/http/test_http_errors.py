"""Which error a refused request is, and what it says."""

import pytest

from dvidpc.errors import StoreBusyError, StoreError, StoreRefusedError
from dvidpc.storage.http.http_errors import error_of, listing_error_of, parse_retry_after
from dvidpc.storage.http.service import Refusal


@pytest.mark.parametrize(
    ("status", "code", "signed", "expected", "words"),
    [
        (301, "", True, StoreRefusedError, "redirects are not followed"),
        (400, "", True, StoreError, "the server answers 400"),
        (400, "ExpiredToken", True, StoreRefusedError, "the credentials have expired"),
        (400, "InvalidRequest", True, StoreRefusedError, "an object with a customer's key (SSE-C)"),
        (400, "KMS.DisabledException", True, StoreRefusedError, "encrypted with is disabled"),
        (400, "AuthorizationHeaderMalformed", True, StoreRefusedError, "signed for another region"),
        (403, "InvalidTokenId", True, StoreRefusedError, "does not accept the session token"),
        (403, "AccessDenied", True, StoreRefusedError, "may not read it or are wrong or expired"),
        (401, "", True, StoreRefusedError, "does not accept the credentials"),
        (401, "", False, StoreRefusedError, "refuses anonymous access"),
        (403, "", True, StoreRefusedError, "the credentials may not read it"),
        (403, "SecondLevelDomainForbidden", True, StoreRefusedError, "set path_style = false"),
        (403, "Unheard", False, StoreRefusedError, "refuses anonymous access"),
        (407, "", True, StoreRefusedError, "the proxy wants a login"),
        (404, "", True, StoreRefusedError, "missing_status does not list 404"),
        (404, "NoSuchBucket", True, StoreRefusedError, "there is no such bucket"),
        (429, "", True, StoreBusyError, "the server answers 429"),
        (503, "", True, StoreBusyError, "the server answers 503"),
        (500, "NoSuchBucket", True, StoreError, "the server answers 500"),
        (
            403,
            "SignatureDoesNotMatch",
            True,
            StoreRefusedError,
            "changes the Host header",
        ),
    ],
)
def test_read_errors(status: int, code: str, expected: type[StoreError], words: str, *, signed: bool) -> None:
    error = error_of("s3://b/info", Refusal(status, {}, code), signed=signed)
    assert type(error) is expected
    assert str(error).startswith("s3://b/info cannot be read: ")
    assert words in str(error)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("signed", [True, False])
def test_missing_status_is_advised_only_where_it_applies(status: int, *, signed: bool) -> None:
    refusal = Refusal(status, {}, "AccessDenied")
    assert "missing_status" not in str(error_of("s3://b/info", refusal, signed=signed, is_metadata=True))
    said = str(error_of("s3://b/0-64_0-64_0-64", refusal, signed=signed))
    assert ("only if other objects here can be read, set missing_status" in said) == (
        status == 403 or not signed
    )


@pytest.mark.parametrize(
    ("status", "code", "expected", "words"),
    [
        (307, "", StoreRefusedError, "redirects are not followed"),
        (400, "", StoreError, "the service answers 400"),
        (401, "", StoreRefusedError, "the credentials may not list (401)"),
        (403, "AccessDenied", StoreRefusedError, "the credentials may not list (403)"),
        (403, "InvalidAccessKeyId", StoreRefusedError, "does not know the access key"),
        (404, "NoSuchBucket", StoreRefusedError, "there is no such bucket"),
        (404, "", StoreError, "the service answers 404"),
        (503, "SlowDown", StoreError, "the service answers 503"),
    ],
)
def test_listing_errors(status: int, code: str, expected: type[StoreError], words: str) -> None:
    error = listing_error_of("s3://b/s0", Refusal(status, {}, code))
    assert type(error) is expected
    assert str(error).startswith("s3://b/s0 cannot be listed: ")
    assert words in str(error)


def test_unknown_codes_are_never_repeated() -> None:
    for make in (error_of, listing_error_of):
        error = make("s3://b/info", Refusal(403, {}, "Echoed"))
        assert isinstance(error, StoreRefusedError)
        assert "Echoed" not in f"{error}{error.code}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("Thu, 01 Jan 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds
