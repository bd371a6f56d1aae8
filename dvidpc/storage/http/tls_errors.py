"""Says why a TLS connection could not be established, and what to change."""

import ssl
from pathlib import Path
from typing import Final

import aiohttp

_EXPIRED: Final = 10
_NOT_YET_VALID: Final = 9
_WRONG_HOST: Final = frozenset({62, 64})
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27, 28})
"""Results of OpenSSL's verification. (X509_V_ERR_* in x509_vfy.h)"""
_NOT_STRICT: Final = range(79, 94)
"""Results of the checks that `X509_V_FLAG_STRICT` adds, which Python 3.13 turns on by default."""
_WANTS_CERTIFICATE: Final = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_NO_CERTIFICATE", "TLSV1_ALERT_NO_CERTIFICATE"}
)
WANTS_CERTIFICATE: Final = (
    "the server wants a client certificate, and dvidpc has none: let it in without, or put a proxy between "
    "that has one"
)
_TOO_OLD: Final = frozenset(
    {
        "DH_KEY_TOO_SMALL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_SIGNATURE_TYPE",
    }
)
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
_NO_AUTHORITIES: Final = (
    ". This machine has no certificates of authorities at all: install the package ca-certificates, or "
    "correct SSL_CERT_FILE or SSL_CERT_DIR"
)
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
    return explain_reason(reason)


def explain_reason(reason: str) -> str:
    """Return what a reason of OpenSSL means, such as `DH_KEY_TOO_SMALL`; it may be empty."""
    words = reason.replace("_", " ").lower() or "no reason is given"
    advice = ""
    if reason in _WANTS_CERTIFICATE:
        advice = f"; {WANTS_CERTIFICATE}"
    elif reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        advice = "; it has no cipher in common with this OpenSSL, or wants a client certificate"
    elif reason in _TOO_OLD:
        advice = "; the server's TLS is too old or too weak for this OpenSSL: update it"
    return f"the TLS handshake failed: {words}{advice}"


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
        return "the server's certificate is not trusted; set ca_bundle to trust another authority" + (
            _NO_AUTHORITIES if _has_no_authorities() else ""
        )
    if code in _NOT_STRICT:
        return (
            f"a certificate of the server breaks RFC 5280 ({getattr(error, 'verify_message', code)}), which "
            "this Python checks; set ca_bundle to a file with that authority, where it does not, or issue it "
            "again"
        )
    return f"the server's certificate is not accepted: {getattr(error, 'verify_message', code)}"


def _has_no_authorities() -> bool:
    """Return whether OpenSSL finds no certificate to trust, neither a file nor a directory of them."""
    paths = ssl.get_default_verify_paths()
    files = paths.cafile is not None and Path(paths.cafile).stat().st_size > 0
    return not files and (paths.capath is None or not any(Path(paths.capath).iterdir()))
