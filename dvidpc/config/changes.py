"""What is different between two readings of the file."""

from dataclasses import fields
from typing import Final

from dvidpc.config.sections import Config

_AT_START: Final = ("server", "repo", "cache", "metrics", "auth")
_LIMITS_AT_START: Final = ("max_request_line", "keepalive_timeout_s", "negative_ttl_s", "drain_timeout_s")
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


def changed_stores(old: Config, new: Config) -> frozenset[str]:
    """Aliases of the stores of *new* that are to be opened anew: they, or how buckets are asked, changed."""
    if any(getattr(old.limits, name) != getattr(new.limits, name) for name in _OF_BUCKETS):
        return frozenset(store.alias for store in new.stores)
    known = {store.alias: store for store in old.stores}
    return frozenset(store.alias for store in new.stores if store != known.get(store.alias))


def needs_restart(old: Config, new: Config) -> list[str]:
    """What is different and yet stays as it is until the server is started again; names for a person."""
    names = []
    for section in _AT_START:
        before, after = getattr(old, section), getattr(new, section)
        names += [
            f"[{section}] {one.name}"
            for one in fields(before)
            if getattr(before, one.name) != getattr(after, one.name)
        ]
    names += [
        f"[limits] {name.removesuffix('_s')}"
        for name in _LIMITS_AT_START
        if getattr(old.limits, name) != getattr(new.limits, name)
    ]
    return names
