"""How long browsers may show data again without asking: the `Cache-Control` of data responses.

A precomputed volume does not say how long its data stay unchanged, so the time is short. The server itself
looks for a rewritten volume once a minute.  (RFC 9111; RFC 5861 for `stale-while-revalidate`)
"""

from typing import Final

from aiohttp import web

NO_CACHE: Final = "no-cache"
"""A client may keep the response, but has to ask each time whether it is still valid."""

LIFETIME: Final = web.AppKey("lifetime", str)
"""The `Cache-Control` of data responses."""
INCOMPLETE: Final = web.RequestKey("incomplete", bool)
"""Set on a request whose response may lack blocks that failed: it must not be shown again without asking."""


def lifetime_of(max_age_s: int, stale_s: int, *, is_shared: bool) -> str:
    """Return the `Cache-Control` of data responses.

    Args:
        max_age_s: For how long a client may use one without asking; 0: never.
        stale_s: For how long after that a client may use one while it asks.
        is_shared: Whether a cache between server and client may keep it for other clients.
    """
    if max_age_s == 0:
        return NO_CACHE
    words = [f"max-age={max_age_s}"]
    if not is_shared:
        words.insert(0, "private")
    if stale_s:
        words.append(f"stale-while-revalidate={stale_s}")
    return ", ".join(words)


def cache_control_of(request: web.Request) -> str:
    """Return the `Cache-Control` of the data that answer *request*."""
    if len(request) and INCOMPLETE in request:  # spares almost every request the look-up of a missing key
        return NO_CACHE
    return request.app[LIFETIME]
