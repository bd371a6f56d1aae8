"""Where the numbers lie of which `metrics` makes metrics: apart from it, as its library is slow to import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from dvidpc.api.admission import Admission
from dvidpc.api.journal import Journal
from dvidpc.api.pulse import Pulse
from dvidpc.storage.counts import UpstreamCounts
from dvidpc.volume.cache import LoadingCache
from dvidpc.volume.health import HealthChecks
from dvidpc.volume.repo import Repo


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
