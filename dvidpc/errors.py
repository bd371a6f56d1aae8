"""The server's errors, as one tree, with the status of the answer they cause.

DvidpcError
  ConfigError             the configuration is invalid                  (exit code 2)
  RequestError            the request is invalid                        (400)
    TooLargeError         the request exceeds a limit                   (413)
  OverloadedError         the server has too much work                  (503)
  UnauthorizedError       the client is not authenticated               (401)
  FormatError             stored bytes are malformed                    (502)
    NoMetadataError       the volume's metadata is not there
    OversizeError         they are more than is read at a time
  StoreError              the bucket failed                             (503)
    StoreTimeoutError     the bucket did not answer in time             (504)
    StoreBusyError        the bucket limits our request rate: 429 or 503
    StoreRefusedError     the bucket denies access; retries do not help
      CredentialsError    there are no credentials, or they cannot be looked up
    ObjectChangedError    the object was replaced after it was indexed
    LabelIndexError       the label index is damaged, or not that of its volume

A message must make sense in a log on its own: it names the object, key or query value that is wrong.
One table maps errors to statuses, in `http.error_responses`.
"""


class DvidpcError(Exception):
    """Base class of all errors; never raised itself."""


class ConfigError(DvidpcError):
    """The configuration is invalid; the message names file, key and reason."""


class RequestError(DvidpcError):
    """The request is invalid, and retrying it does not help; the client receives the message."""


class TooLargeError(RequestError):
    """The request exceeds a limit; the message names the limit."""


class OverloadedError(DvidpcError):
    """The server has too much work; the client may retry after *retry_after_s* seconds."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorizedError(DvidpcError):
    """The client sent no token or an invalid one; the message says what is wrong with it."""


class FormatError(DvidpcError):
    """Stored bytes are malformed; the message names the object."""


class NoMetadataError(FormatError):
    """There is no volume at the place that the configuration names: its metadata does not exist.

    *engine* is the format of what is there instead; None if that is nothing, or not known.
    """

    def __init__(self, message: str, engine: str | None = None) -> None:
        super().__init__(message)
        self.engine = engine


class OversizeError(FormatError):
    """Stored bytes are more than the reader allows: too many, or damaged."""


class StoreError(DvidpcError):
    """The bucket failed to answer, so it is not known whether the object exists."""


class StoreTimeoutError(StoreError):
    """The bucket did not answer in time."""


class StoreBusyError(StoreError):
    """The bucket limits our request rate; *retry_after_s* is None if it does not say for how long."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRefusedError(StoreError):
    """The bucket denies access: missing rights, missing credentials or a redirect.

    *status* is the HTTP status of its answer; None if there are no credentials to send a request with.
    *code* is the service's name for the reason, such as `ExpiredToken`; empty if it gives none that we know.
    """

    def __init__(self, message: str, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class CredentialsError(StoreRefusedError):
    """There are no credentials to sign a request with, or they cannot be looked up now.

    *advice* says what to do, if more is known than that credentials are needed. The message ends with it.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(f"{message}; {advice}" if advice else message)
        self.advice = advice


class ObjectChangedError(StoreError):
    """The object has another etag than expected: it was replaced after it was indexed."""


class LabelIndexError(StoreError):
    """The label index cannot be used: it is damaged or missing, or the volume has changed."""
