"""Signatures are those that botocore makes, and the one in Amazon's documentation."""

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.storage.s3.sigv4 import Signer, moment_at

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def test_example_of_the_documentation() -> None:
    """Signature Calculations for the Authorization Header, "GET Object", in the API reference of S3."""
    signer = Signer(KEY_ID, SECRET, None, "us-east-1", "20130524")
    sent = signer.sign_get(
        "examplebucket.s3.amazonaws.com", "/test.txt", "20130524T000000Z", {"range": "bytes=0-9"}
    )
    assert sent["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize("headers", [{}, {"x-amz-request-payer": "requester"}])
@pytest.mark.parametrize("path", ["/bucket/image/0.shard", "/a%20b/%C3%BC/~x-y_z.0", "/b/%25%2B%3D%26%3A"])
def test_same_as_botocore(token: str | None, headers: dict[str, str], path: str) -> None:
    request = AWSRequest("GET", f"http://localhost:9000{path}", headers=headers)
    S3SigV4Auth(Credentials(KEY_ID, SECRET, token), "s3", "eu-west-1").add_auth(request)
    moment = request.headers["X-Amz-Date"]
    sent = Signer(KEY_ID, SECRET, token, "eu-west-1", moment[:8]).sign_get(
        "localhost:9000", path, moment, headers
    )
    assert {name.lower(): value for name, value in sent.items()} == {
        name.lower(): value for name, value in request.headers.items()
    }


@given(st.integers(0, 2**33))
def test_moments_sort_as_their_seconds_do(seconds: int) -> None:
    assert len(moment_at(seconds)) == len("20130524T000000Z")
    assert moment_at(seconds) <= moment_at(seconds + 1)


def test_secret_is_not_shown() -> None:
    signer = Signer(KEY_ID, SECRET, "a-token", "us-east-1", "20130524")
    signer.sign_get("host", "/", "20130524T000000Z", {})
    assert SECRET not in repr(signer)
    assert "a-token" not in repr(signer)
