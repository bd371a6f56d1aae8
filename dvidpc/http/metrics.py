"""What this server counts, for Prometheus.

The numbers lie where things happen, plain and cheap; they become metrics when somebody asks. Every label
comes from a fixed set: endpoints, statuses, and the stores and caches that the configuration names.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dvidpc import __version__
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.counters import Histogram
from dvidpc.http.access_log import SECONDS, Journal, RequestCounts
from dvidpc.http.metric_sources import Sources
from dvidpc.storage.retry.upstream_counts import UpstreamCounts


def metrics_app(sources: Sources) -> web.Application:
    """The application that answers `/metrics`, for a listener of its own."""
    registry = CollectorRegistry()
    registry.register(ServerCollector(sources))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)

    async def answer(request: web.Request) -> web.StreamResponse:
        await sources.health.check()
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(registry), headers={hdrs.CONTENT_TYPE: content_type})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app


class ServerCollector(Collector):
    """Makes metrics of the numbers of one server."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """Everything as it is now."""
        sources = self._sources
        yield from _requests(sources.journal)
        yield _gauge("requests_in_flight", "Requests worked on", sources.journal.in_flight)
        yield _gauge(
            "requests_in_flight_limit", "Most requests worked on at a time", sources.admission.max_in_flight
        )
        yield _gauge("requests_waiting", "Requests that wait for their turn", sources.admission.waiting)
        yield from _upstream(sources.upstream)
        breaker = GaugeMetricFamily(
            "dvidpc_upstream_breaker_open", "Whether the bucket is down and only probed", labels=["store"]
        )
        for alias, is_left_alone in sources.are_left_alone().items():
            breaker.add_metric([alias], is_left_alone)
        yield breaker
        yield from _caches(sources.caches)
        lag = HistogramMetricFamily("dvidpc_event_loop_lag_seconds", "How late the event loop is")
        _add(lag, [], sources.pulse.lag)
        yield lag
        up = GaugeMetricFamily(
            "dvidpc_volume_up", "Whether a volume was served and readable when last tried", labels=["store"]
        )
        for alias, health in sources.health.last().items():
            up.add_metric([alias], health.problem is None)
        yield up
        yield _gauge("instances", "Data instances served", len(sources.repo.instances))
        yield _gauge("start_time_seconds", "When the server started, since the epoch", sources.repo.created)
        build = GaugeMetricFamily("dvidpc_build_info", "What runs here", labels=["version", "python"])
        build.add_metric([__version__, platform.python_version()], 1)
        yield build


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dvidpc_{name}", words, value)


def _requests(journal: Journal) -> Iterator[Metric]:
    counts = CounterMetricFamily("dvidpc_requests", "Requests that ended", labels=["endpoint", "status"])
    seconds = HistogramMetricFamily("dvidpc_request_seconds", "How long they took", labels=["endpoint"])
    nbytes = CounterMetricFamily("dvidpc_response_bytes", "Bytes sent", labels=["endpoint"])
    blocks = CounterMetricFamily("dvidpc_blocks", "Blocks asked for", labels=["endpoint"])
    omitted = CounterMetricFamily(
        "dvidpc_omitted_blocks", "Blocks left out as they could not be read", labels=["endpoint"]
    )
    by_endpoint: dict[str, list[RequestCounts]] = {}
    for (endpoint, status), one in sorted(journal.requests.items()):
        counts.add_metric([endpoint, status], sum(one.seconds.counts))
        by_endpoint.setdefault(endpoint, []).append(one)
    for endpoint, several in by_endpoint.items():
        _add(seconds, [endpoint], _sum(one.seconds for one in several))
        nbytes.add_metric([endpoint], sum(one.nbytes for one in several))
        blocks.add_metric([endpoint], sum(one.blocks for one in several))
        omitted.add_metric([endpoint], sum(one.omitted for one in several))
    yield from (counts, seconds, nbytes, blocks, omitted)


def _upstream(stores: Mapping[str, UpstreamCounts]) -> Iterator[Metric]:
    requests = _by_store("requests", "Requests to the bucket, retries included")
    retries = _by_store("retries", "Requests that were a second or further attempt")
    nbytes = _by_store("bytes", "Bytes of objects read")
    errors = CounterMetricFamily(
        "dvidpc_upstream_errors", "Requests to the bucket that failed", labels=["store", "kind"]
    )
    in_flight = GaugeMetricFamily(
        "dvidpc_upstream_in_flight", "Requests to the bucket under way", labels=["store"]
    )
    seconds = HistogramMetricFamily("dvidpc_upstream_seconds", "How long requests took", labels=["store"])
    for alias, counts in stores.items():
        requests.add_metric([alias], counts.requests)
        retries.add_metric([alias], counts.retries)
        nbytes.add_metric([alias], counts.nbytes)
        for kind, count in counts.errors.items():
            errors.add_metric([alias, kind], count)
        in_flight.add_metric([alias], counts.in_flight)
        _add(seconds, [alias], counts.seconds)
    yield from (requests, retries, nbytes, errors, in_flight, seconds)


def _by_store(name: str, words: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"dvidpc_upstream_{name}", words, labels=["store"])


def _caches(caches: Mapping[str, LoadingCache]) -> Iterator[Metric]:
    hits = _of_cache("hits", "What was found in memory")
    misses = _of_cache("misses", "What had to be loaded")
    shared = _of_cache("shared", "What was being loaded for somebody else already")
    evictions = _of_cache("evictions", "What was dropped to make room")
    stale = _of_cache("stale", "What was served though too old, since the bucket was down")
    size = GaugeMetricFamily("dvidpc_cache_bytes", "Bytes kept", labels=["cache"])
    limit = GaugeMetricFamily("dvidpc_cache_limit_bytes", "Most bytes to keep", labels=["cache"])
    entries = GaugeMetricFamily("dvidpc_cache_entries", "Things kept", labels=["cache"])
    for name, cache in caches.items():
        hits.add_metric([name], cache.counts.hits)
        misses.add_metric([name], cache.counts.misses)
        shared.add_metric([name], cache.counts.shared)
        evictions.add_metric([name], cache.counts.evictions)
        stale.add_metric([name], cache.counts.stale)
        size.add_metric([name], cache.nbytes)
        limit.add_metric([name], cache.max_bytes)
        entries.add_metric([name], len(cache))
    yield from (hits, misses, shared, evictions, stale, size, limit, entries)


def _of_cache(name: str, words: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"dvidpc_cache_{name}", words, labels=["cache"])


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    family.add_metric(labels, histogram.cumulated(), histogram.total)


def _sum(histograms: Iterable[Histogram]) -> Histogram:
    total = Histogram(SECONDS)
    for one in histograms:
        total.counts = [a + b for a, b in zip(total.counts, one.counts, strict=True)]
        total.total += one.total
    return total
