"""Maps HTTP error responses to `StoreError`s."""

import re
from urllib.parse import urlsplit

from dvidpc.errors import StoreBusyError, StoreError, StoreRefusedError
from dvidpc.storage.http.connection_errors import NEEDS_TLS, PROXY_LOGIN
from dvidpc.storage.http.service import Refusal
from dvidpc.storage.http.tls_errors import WANTS_CERTIFICATE

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_WITH_CODE = frozenset({400, 401, 403, 404})
"""Statuses whose code says more than they do."""
_REASONS = {
    "AccountProblem": "the service has blocked the account",
    "AllAccessDisabled": "the service has disabled the bucket",
    "AuthorizationHeaderMalformed": "the request is signed for another region than the service expects",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the service does not know the access key",
    "InvalidObjectState": "it is archived; restore it first",
    "InvalidRequest": "the service refuses the request, as for an object with a customer's key (SSE-C)",
    "InvalidSecurity": "the service does not accept the credentials",
    "InvalidToken": "the service does not accept the session token",
    "InvalidTokenId": "the service does not accept the session token",
    "KMS.DisabledException": "the key that it is encrypted with is disabled",
    "KMS.KMSInvalidStateException": "the key that it is encrypted with cannot be used",
    "KMS.NotFoundException": "the key that it is encrypted with does not exist",
    "NoSuchBucket": "there is no such bucket",
    "SecondLevelDomainForbidden": "the service wants the bucket in the host name; set path_style = false",
    "RequestTimeTooSkewed": "the clock of this machine differs from the service's",
    "ResourceIsEncryptedWithCustomerEncryptionKey": "it is encrypted with a customer's key",
    "SignatureDoesNotMatch": (
        "the service does not accept the signature; the secret key may be wrong, or a proxy in front of the "
        "service changes the Host header or the path"
    ),
    "TokenRefreshRequired": "the credentials have expired",
    "UserProjectMissing": "the bucket bills its readers; set user_project",
}
"""What the error codes of S3 and Google mean. Nothing else of a response is repeated."""
BY_PROXY = "ByProxy"
CLIENT_CERTIFICATE = "ClientCertificate"
"""Codes of our own, for refusals that are not the service's."""
PROXY_LOGIN_STATUS = 407
_IF_ABSENT = "only if other objects here can be read, set missing_status = [403, 404]"


def error_of(name: str, refusal: Refusal, *, signed: bool = False, is_metadata: bool = False) -> StoreError:
    """Return the error for a read that the service refused.

    Args:
        name: The object.
        refusal: The response.
        signed: Whether the request was signed; else it was anonymous.
        is_metadata: Whether it describes the volume: `missing_status` does not apply to it.
    """
    status = refusal.status
    if 300 <= status < 400:
        return _redirect_error(name, "read", refusal)
    if refusal.needs_tls:
        return StoreRefusedError(f"{name} cannot be read: {NEEDS_TLS}", status)
    if gateway := _explain_gateway(refusal):
        text, code = f"{name} cannot be read: {gateway[0]}", gateway[1]
        return StoreError(text) if refusal.is_passing else StoreRefusedError(text, status, code)
    if why := _explain_code(refusal) or _explain_status(status, signed=signed, is_metadata=is_metadata):
        code = refusal.code if refusal.code in _REASONS else ""
        return StoreRefusedError(f"{name} cannot be read: {why}", status, code)
    if status in {429, 503}:
        after_s = parse_retry_after(refusal.headers.get("Retry-After", ""))
        return StoreBusyError(f"{name} cannot be read: the server answers {status}", after_s)
    return StoreError(f"{name} cannot be read: the server answers {status}")


def _explain_gateway(refusal: Refusal) -> tuple[str, str] | None:
    """Return what stands before the service and does not let the request in, and our name for it; or None."""
    if refusal.needs_certificate:
        return f"{WANTS_CERTIFICATE} ({refusal.status})", CLIENT_CERTIFICATE
    if refusal.by_proxy and refusal.status != PROXY_LOGIN_STATUS:
        answer = f"the proxy answers {refusal.status} {refusal.by_proxy}, not the server"
        return f"{answer}; look at no_proxy and at the proxy's rules", BY_PROXY
    return None


def doubt_error_of(name: str, refusal: Refusal, metadata: str) -> StoreRefusedError:
    """Return the error for an object that looks missing while the volume's metadata cannot be read either.

    Args:
        name: The object.
        refusal: The response for it.
        metadata: The name of the metadata.
    """
    return StoreRefusedError(
        f"{name} cannot be read ({refusal.status}), and neither can {metadata} any more: the credentials may "
        "have expired or been removed, or the volume is gone",
        refusal.status,
    )


def listing_error_of(name: str, refusal: Refusal) -> StoreError:
    """Return the error for a listing of the directory *name* that the service refused."""
    status = refusal.status
    if 300 <= status < 400:
        return _redirect_error(name, "listed", refusal)
    if why := _explain_code(refusal):
        return StoreRefusedError(f"{name} cannot be listed: {why}", status, refusal.code)
    if status in {401, 403}:
        return StoreRefusedError(f"{name} cannot be listed: the credentials may not list ({status})", status)
    return StoreError(f"{name} cannot be listed: the service answers {status}")


def parse_retry_after(text: str) -> float | None:
    """Return the seconds of a `Retry-After`; None for anything else, even a date: buckets send none."""
    return float(text) if _SECONDS.fullmatch(text) else None


def _redirect_error(name: str, action: str, refusal: Refusal) -> StoreRefusedError:
    host = _host_of(refusal.headers.get("Location", ""))
    return StoreRefusedError(
        f"{name} cannot be {action}: it redirects, as for a bucket of another region or a server that moved; "
        f"redirects are not followed ({refusal.status} to {host!r})",
        refusal.status,
    )


def _explain_code(refusal: Refusal) -> str | None:
    """Return what the response's code means; None if it has no known one."""
    if refusal.status not in _WITH_CODE or refusal.code not in _REASONS:
        return None
    return f"{_REASONS[refusal.code]} ({refusal.status} {refusal.code})"


def _explain_status(status: int, *, signed: bool, is_metadata: bool) -> str | None:
    """Return why a retry would not help; None if it may."""
    hint = "" if is_metadata else f"; {_IF_ABSENT}"
    match status:
        case 407:
            return PROXY_LOGIN
        case 404:
            return "the server says it does not exist (404), and missing_status does not list 404"
        case 401 | 403 if not signed:
            return f"the server refuses anonymous access, or it does not exist ({status}){hint}"
        case 401:
            return "the service does not accept the credentials (401)"
        case 403:
            return (
                "the credentials may not read it or are wrong or expired, or it does not exist and they may "
                f"not list (403){hint}"
            )
        case _:
            return None


def _host_of(location: str) -> str:
    """Return the host of a redirect, and nothing else of it; empty if there is none."""
    try:
        return urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return ""
