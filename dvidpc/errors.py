"""Everything that can go wrong, as one tree.

DvidpcError
  ConfigError             the configuration is wrong            (exit code 2)
  RequestError            the client asked for something wrong  (400)
    TooLargeError         ... for too much                      (413)
  OverloadedError         too many ask at a time                (503)
  UnauthorizedError       the client does not say who it is     (401)
  FormatError             stored bytes break the format         (502)
  StoreError              the bucket failed                     (503)
    StoreTimeoutError     the bucket is too slow                (504)
    StoreBusyError        the bucket asks for less: 429 or 503
    StoreRefusedError     the bucket will not serve us: asking again does not help
    ObjectChangedError    the object is no longer the one that was indexed

A message stands alone in a log: it names the object, key or query value at fault.
Statuses are given to errors in one place, `api.middleware`.
"""


class DvidpcError(Exception):
    """Any failure this server knows; never raised itself."""


class ConfigError(DvidpcError):
    """The configuration cannot be used; the message names file, key and reason."""


class RequestError(DvidpcError):
    """The request is wrong, and would be again; the message is what the client reads."""


class TooLargeError(RequestError):
    """The request asks for more than a limit allows; the message names the limit."""


class OverloadedError(DvidpcError):
    """Too much is asked at a time; in so many seconds there may be a place."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorizedError(DvidpcError):
    """The client gives no token, or none that holds; the message says what is wrong with it."""


class FormatError(DvidpcError):
    """Stored bytes are not what the format says; the message names the object."""


class StoreError(DvidpcError):
    """The bucket failed to answer; nothing is known about the object."""


class StoreTimeoutError(StoreError):
    """The bucket did not answer in time."""


class StoreBusyError(StoreError):
    """The bucket answers that it is asked too much, and perhaps for how many seconds to leave it alone."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRefusedError(StoreError):
    """The bucket answers, and will not serve us as we are set up: no rights, no credentials, a redirect.

    *status* is the HTTP status that says so; None: there are no credentials to ask with. *code* is what the
    service calls the reason, such as `ExpiredToken`; empty: it gives none that is known.
    """

    def __init__(self, message: str, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ObjectChangedError(StoreError):
    """The object's etag is not the expected one: it was replaced since it was indexed."""
