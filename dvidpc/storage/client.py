"""How obstore's HTTP client behaves for us: our times, no retries, our trust."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dvidpc import __version__
from dvidpc.storage.base import UpstreamLimits

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

ASK_EACH_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When secrets expire, for obstore: it asks for them at each request, so that a new one is used at once."""
_SPARE_S = 5.0
"""Our own clock ends an attempt; obstore's is the second one, should ours not be heard."""


def client_options(
    endpoint: str,
    limits: UpstreamLimits,
    certificates: bytes | None,
    headers: dict[str, str] | None = None,
) -> "ClientConfig":
    """Options for a bucket at *endpoint*; *certificates* (PEM) are trusted beside the system's."""
    options: ClientConfig = {
        "user_agent": f"dvidpc/{__version__}",
        "connect_timeout": timedelta(seconds=limits.connect_timeout_s),
        "timeout": timedelta(seconds=limits.attempt_timeout_s + _SPARE_S),
        "allow_http": endpoint.startswith("http://"),
    }
    if certificates is not None:
        options["root_certificate"] = certificates
    if headers:
        options["default_headers"] = headers
    return options


def no_retries() -> "RetryConfig":
    """`RetryingStore` asks again, knowing more than obstore does."""
    return {"max_retries": 0}
