"""Says why a TLS connection could not be established, and what to change."""

from typing import Final

import aiohttp

_EXPIRED: Final = 10
_NOT_YET_VALID: Final = 9
_WRONG_HOST: Final = frozenset({62, 64})
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27, 28})
"""Results of OpenSSL's verification. (X509_V_ERR_* in x509_vfy.h)"""
_NO_TLS: Final = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)
_NAME_REFUSED: Final = frozenset({"TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"})
_BY_PATH: Final = "if that name begins with the bucket's name, set path_style = true"


def explain_tls(
    error: aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError,
) -> str:
    """Return the reason as a part of a sentence, with what to do about it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _explain_certificate(error.certificate_error, error.host)
    reason = str(getattr(error.os_error, "reason", None) or "")
    if reason in _NO_TLS:
        return "the server does not speak TLS at this port; write http:// or another port in ref or endpoint"
    if reason in _NAME_REFUSED:
        return f"the server does not know the host name {error.host}; {_BY_PATH}"
    words = reason.replace("_", " ").lower() or "no reason is given"
    return f"the TLS handshake failed: {words}"


def _explain_certificate(error: Exception, host: str) -> str:
    code: int | None = getattr(error, "verify_code", None)
    if code in _WRONG_HOST:
        return (
            f"the server's certificate is for another host name than {host}; correct endpoint, or {_BY_PATH}"
        )
    if code == _EXPIRED:
        return (
            "the server's certificate has expired; renew it on the server, or set the clock of this machine"
        )
    if code == _NOT_YET_VALID:
        return "the server's certificate is not valid yet; set the clock of this machine, or reissue it"
    if code is None or code in _UNTRUSTED:
        return "the server's certificate is not trusted; set ca_bundle to trust another authority"
    return f"the server's certificate is not accepted: {getattr(error, 'verify_message', code)}"
