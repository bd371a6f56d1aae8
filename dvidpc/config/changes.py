"""Compares two configurations, for a reload."""

from typing import Final

from dvidpc.config.reading import keys_of
from dvidpc.config.sections import Config

_AT_START: Final = ("server", "repo", "cache", "metrics", "auth")
"""Sections whose keys take effect only at the start."""
_LIMITS_AT_START: Final = (
    "max_request_line",
    "max_cells",
    "max_annotations",
    "keepalive_timeout_s",
    "negative_ttl_s",
    "drain_timeout_s",
)
"""Fields of `[limits]` that take effect only at the start."""
_OF_BUCKETS: Final = (
    "connect_timeout_s",
    "first_byte_timeout_s",
    "attempt_timeout_s",
    "attempts",
    "backoff_min_s",
    "backoff_max_s",
    "max_retry_after_s",
    "retry_budget",
    "upstream_concurrency",
)
"""Fields of `[limits]` that an open bucket keeps."""


def changed_stores(old: Config, new: Config) -> frozenset[str]:
    """Return the aliases of the stores of *new* to reopen: they changed, or the limits for buckets did."""
    if any(getattr(old.limits, name) != getattr(new.limits, name) for name in _OF_BUCKETS):
        return frozenset(store.alias for store in new.stores)
    known = {store.alias: store for store in old.stores}
    return frozenset(store.alias for store in new.stores if store != known.get(store.alias))


def needs_restart(old: Config, new: Config) -> list[str]:
    """Return the changed keys that take effect only after a restart, as `[section] key`."""
    names = []
    for section in (*_AT_START, "limits"):
        before, after = getattr(old, section), getattr(new, section)
        names += [
            f"[{section}] {key}"
            for key, (field, _) in keys_of(type(before)).items()
            if (section != "limits" or field in _LIMITS_AT_START)
            and getattr(before, field) != getattr(after, field)
        ]
    return names
