"""The objects whose counters `metrics` exports.

They are apart from `metrics`, because its library, `prometheus_client`, is slow to import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.health import HealthChecks
from dvidpc.data.repo import Repo
from dvidpc.http.access_log import AccessLog
from dvidpc.http.admission import Admission
from dvidpc.http.sampling import LoadSampler
from dvidpc.storage.retry.upstream_counts import UpstreamCounts

if TYPE_CHECKING:
    from dvidpc.cache.disk.disk_cache import DiskCache


@dataclass(frozen=True, slots=True)
class Sources:
    """The objects whose counters become metrics."""

    access_log: AccessLog
    sampler: LoadSampler
    upstream: Mapping[str, UpstreamCounts]
    """By store alias."""
    open_breakers: Callable[[], Mapping[str, bool]]
    """Return by store alias whether the bucket is down and only probed."""
    caches: Mapping[str, LoadingCache]
    """By the name of what they hold."""
    disk: "DiskCache | None"
    """None if none is configured."""
    health: HealthChecks
    repo: Repo
    admission: Admission
    started: float
    """When the server started, in seconds since the epoch."""


METRICS: Final = web.AppKey("metrics", Sources)
