"""Which error an answer other than the object is, and in which words."""

import re
from urllib.parse import urlsplit

from dvidpc.errors import StoreBusyError, StoreError, StoreRefusedError
from dvidpc.storage.http.service import Refusal

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_REASONS = {
    "AllAccessDisabled": "the service has disabled the bucket",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the service does not know the access key",
    "InvalidObjectState": "it lies in an archive, and must be restored there first",
    "InvalidToken": "the service does not accept the session token",
    "NoSuchBucket": "there is no such bucket",
    "RequestTimeTooSkewed": "the clock here differs from the service's",
    "SignatureDoesNotMatch": "the service does not accept the signature, as of a wrong secret key",
    "UserProjectMissing": "the bucket's readers must say who pays: user_project",
}
"""What a refusal means; nothing that the service wrote is repeated."""


def error_of(name: str, refusal: Refusal, *, signed: bool = False) -> StoreError:
    """The error for the object *name*, which was asked for *signed* or anonymously."""
    status = refusal.status
    if 300 <= status < 400:
        where = _host_of(refusal.headers.get("Location", ""))
        return StoreRefusedError(
            f"{name} cannot be read: it redirects, as for a bucket of another region or a server that moved; "
            f"that is not followed ({status} to {where!r})",
            status,
        )
    if why := _reason_of(refusal, signed=signed):
        code = refusal.code if refusal.code in _REASONS else ""
        return StoreRefusedError(f"{name} cannot be read: {why}", status, code)
    if status in {429, 503}:
        after_s = parse_retry_after(refusal.headers.get("Retry-After", ""))
        return StoreBusyError(f"{name} cannot be read: the server answers {status}", after_s)
    return StoreError(f"{name} cannot be read: the server answers {status}")


def parse_retry_after(text: str) -> float | None:
    """The seconds of a `Retry-After`; None if it names none, or a date, which buckets do not send."""
    return float(text) if _SECONDS.fullmatch(text) else None


def _reason_of(refusal: Refusal, *, signed: bool) -> str | None:
    """Why asking again does not help; None: it may."""
    status = refusal.status
    if status in {400, 401, 403, 404} and refusal.code in _REASONS:
        return f"{_REASONS[refusal.code]} ({status} {refusal.code})"
    if status not in {401, 403, 404}:
        return None
    if status == 404:
        return "the server says it does not exist (404), which missing_status does not list"
    if not signed:
        return (
            f"the server does not let us ({status}), and it is read anonymously; "
            "if that is how absence looks here, list it in missing_status"
        )
    if status == 401:
        return "the service does not accept the credentials (401)"
    return (
        "the credentials may not read it, or it does not exist and they may not list (403); "
        "if that is how absence looks here, set missing_status = [403, 404]"
    )


def _host_of(location: str) -> str:
    """The host a redirect points to, and nothing else of it; empty if it names none."""
    try:
        return urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return ""
