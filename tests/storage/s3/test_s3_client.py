"""What aiobotocore raises becomes one of our errors, by status and code."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from dvidpc.errors import StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.s3.s3_client import refusal_of, translate_listing_errors


def client_error(status: int, code: str, **headers: str) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    answer = {"Error": {"Code": code, "Message": "secret"}, "ResponseMetadata": metadata}
    return ClientError(answer, "ListObjectsV2")


def test_refusal_has_status_code_and_headers() -> None:
    refusal = refusal_of(client_error(307, "PermanentRedirect", location="http://elsewhere/"))
    assert (refusal.status, refusal.code) == (307, "PermanentRedirect")
    assert refusal.headers["Location"] == "http://elsewhere/"


def test_error_response_without_anything_is_a_refusal_without_anything() -> None:
    refusal = refusal_of(ClientError({}, "ListObjectsV2"))
    assert (refusal.status, refusal.code, refusal.headers) == (0, "", {})


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (client_error(403, "AccessDenied"), StoreRefusedError, "may not list"),
        (client_error(500, "InternalError"), StoreError, "the service answers 500"),
        (EndpointConnectionError(endpoint_url="http://secret/"), StoreError, "EndpointConnectionError"),
        (ResponseParserError("secret"), StoreError, "the response is not a listing"),
        (KeyError("secret"), StoreError, "the response is not a listing"),
        (TimeoutError(), StoreTimeoutError, "no answer in time"),
    ],
)
def test_errors_are_ours(error: Exception, expected: type[StoreError], words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught, translate_listing_errors("s3://b/s0"):
        raise error
    assert type(caught.value) is expected
    assert str(caught.value).startswith("s3://b/s0")
    assert "secret" not in str(caught.value)
