"""What OpenSSL reports becomes a sentence with advice."""

import re
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from dvidpc.storage.http.tls_errors import explain_tls

KEY = ConnectionKey(
    "my.bucket.s3.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (62, "another host name than my.bucket.s3.example; correct endpoint, or .*set path_style = true"),
        (64, "another host name"),
        (10, "has expired"),
        (9, "is not valid yet"),
        (18, "is not trusted; set ca_bundle"),
        (20, "is not trusted; set ca_bundle"),
        (94, "is not accepted: what OpenSSL says"),
        (None, "is not trusted; set ca_bundle"),
    ],
)
def test_certificates(code: int | None, words: str) -> None:
    cause = ssl.SSLCertVerificationError()
    if code is not None:
        cause.verify_code, cause.verify_message = code, "what OpenSSL says"
    assert re.search(words, explain_tls(aiohttp.ClientConnectorCertificateError(KEY, cause)))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("WRONG_VERSION_NUMBER", "does not speak TLS at this port"),
        ("RECORD_LAYER_FAILURE", "does not speak TLS at this port"),
        ("TLSV1_UNRECOGNIZED_NAME", "does not know the host name my.bucket.s3.example; .*path_style = true"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "handshake failed: tlsv13 alert certificate required"),
        ("", "handshake failed: no reason is given"),
    ],
)
def test_handshakes(reason: str, words: str) -> None:
    cause = ssl.SSLError()
    cause.reason = reason
    assert re.search(words, explain_tls(aiohttp.ClientConnectorSSLError(KEY, cause)))
