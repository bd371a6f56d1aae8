"""Where the numbers lie of which `metrics` makes metrics: apart from it, as its library is slow to import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.health import HealthChecks
from dvidpc.data.repo import Repo
from dvidpc.http.access_log import Journal
from dvidpc.http.admission import Admission
from dvidpc.http.sampling import Pulse
from dvidpc.storage.retry.upstream_counts import UpstreamCounts


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers lie."""

    journal: Journal
    pulse: Pulse
    upstream: Mapping[str, UpstreamCounts]
    """By the alias of the store."""
    are_left_alone: Callable[[], Mapping[str, bool]]
    """Whether the bucket of each store is down and only probed, by the alias of the store."""
    caches: Mapping[str, LoadingCache]
    """By what they keep."""
    health: HealthChecks
    repo: Repo
    admission: Admission


METRICS: Final = web.AppKey("metrics", Sources)
