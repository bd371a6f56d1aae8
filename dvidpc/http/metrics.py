"""Export the server's counters to Prometheus.

The parts of the server count in plain numbers, which is cheap; they become metrics when Prometheus scrapes.
Every label value comes from a fixed set: endpoints, statuses, and the stores and caches that the
configuration names.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

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
from dvidpc.http.access_log import SECONDS, AccessLog, RequestCounts
from dvidpc.http.metric_sources import Sources
from dvidpc.storage.retry.upstream_counts import UpstreamCounts

if TYPE_CHECKING:
    from dvidpc.cache.disk.disk_cache import DiskCache


def metrics_app(sources: Sources) -> web.Application:
    """Return the application that serves `/metrics`, on a listener of its own."""
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
    """Collects the metrics of one server."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics with their current values."""
        sources = self._sources
        yield from _requests(sources.access_log)
        yield _gauge("requests_in_flight", "Requests being handled", sources.access_log.in_flight)
        yield _gauge(
            "requests_in_flight_limit",
            "Limit on data requests being handled",
            sources.admission.max_in_flight,
        )
        yield _gauge("requests_waiting", "Data requests waiting in the queue", sources.admission.waiting)
        yield from _upstream(sources.upstream)
        breaker = GaugeMetricFamily(
            "dvidpc_upstream_breaker_open", "Whether the bucket is down and only probed", labels=["store"]
        )
        for alias, is_left_alone in sources.open_breakers().items():
            breaker.add_metric([alias], is_left_alone)
        yield breaker
        yield from _caches(sources.caches)
        if sources.disk is not None:
            yield from _disk_cache(sources.disk)
        lag = HistogramMetricFamily("dvidpc_event_loop_lag_seconds", "Lag of the event loop")
        _add(lag, [], sources.sampler.lag)
        yield lag
        up = GaugeMetricFamily(
            "dvidpc_volume_up",
            "Whether the last probe could read the volume",
            labels=["store"],
        )
        for alias, health in sources.health.last().items():
            up.add_metric([alias], health.problem is None)
        yield up
        yield _gauge("instances", "Data instances served", len(sources.repo.instances))
        yield _gauge("start_time_seconds", "Unix time when the server started", sources.started)
        build = GaugeMetricFamily(
            "dvidpc_build_info", "Versions of dvidpc and Python", labels=["version", "python"]
        )
        build.add_metric([__version__, platform.python_version()], 1)
        yield build


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dvidpc_{name}", description, value)


def _requests(access_log: AccessLog) -> Iterator[Metric]:
    counts = CounterMetricFamily("dvidpc_requests", "Requests completed", labels=["endpoint", "status"])
    seconds = HistogramMetricFamily("dvidpc_request_seconds", "Duration of requests", labels=["endpoint"])
    nbytes = CounterMetricFamily("dvidpc_response_bytes", "Bytes sent", labels=["endpoint"])
    blocks = CounterMetricFamily("dvidpc_blocks", "Blocks requested", labels=["endpoint"])
    omitted = CounterMetricFamily(
        "dvidpc_omitted_blocks", "Blocks omitted because they could not be read", labels=["endpoint"]
    )
    by_endpoint: dict[str, list[RequestCounts]] = {}
    for (endpoint, status), one in sorted(access_log.requests.items()):
        counts.add_metric([endpoint, status], sum(one.seconds.counts))
        by_endpoint.setdefault(endpoint, []).append(one)
    for endpoint, several in by_endpoint.items():
        _add(seconds, [endpoint], _sum(one.seconds for one in several))
        nbytes.add_metric([endpoint], sum(one.nbytes for one in several))
        blocks.add_metric([endpoint], sum(one.blocks for one in several))
        omitted.add_metric([endpoint], sum(one.omitted for one in several))
    yield from (counts, seconds, nbytes, blocks, omitted)


def _upstream(stores: Mapping[str, UpstreamCounts]) -> Iterator[Metric]:
    requests = _by_store("requests", "Requests to the bucket, including retries")
    retries = _by_store("retries", "Requests to the bucket that were retries")
    nbytes = _by_store("bytes", "Bytes read from objects")
    errors = CounterMetricFamily(
        "dvidpc_upstream_errors", "Requests to the bucket that failed", labels=["store", "kind"]
    )
    in_flight = GaugeMetricFamily(
        "dvidpc_upstream_in_flight", "Requests to the bucket in flight", labels=["store"]
    )
    seconds = HistogramMetricFamily(
        "dvidpc_upstream_seconds", "Duration of requests to buckets", labels=["store"]
    )
    for alias, counts in stores.items():
        requests.add_metric([alias], counts.requests)
        retries.add_metric([alias], counts.retries)
        nbytes.add_metric([alias], counts.nbytes)
        for kind, count in counts.errors.items():
            errors.add_metric([alias, kind], count)
        in_flight.add_metric([alias], counts.in_flight)
        _add(seconds, [alias], counts.seconds)
    yield from (requests, retries, nbytes, errors, in_flight, seconds)


def _by_store(name: str, description: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"dvidpc_upstream_{name}", description, labels=["store"])


def _caches(caches: Mapping[str, LoadingCache]) -> Iterator[Metric]:
    hits = _of_cache("hits", "Lookups answered from the cache")
    misses = _of_cache("misses", "Lookups that had to load")
    shared = _of_cache("shared", "Lookups that joined a load in flight")
    evictions = _of_cache("evictions", "Entries evicted to make room")
    stale = _of_cache("stale", "Expired entries served because the bucket was down")
    size = GaugeMetricFamily("dvidpc_cache_bytes", "Bytes held", labels=["cache"])
    limit = GaugeMetricFamily("dvidpc_cache_limit_bytes", "Limit on bytes held", labels=["cache"])
    entries = GaugeMetricFamily("dvidpc_cache_entries", "Entries held", labels=["cache"])
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


def _of_cache(name: str, description: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"dvidpc_cache_{name}", description, labels=["cache"])


def _disk_cache(cache: "DiskCache") -> Iterator[Metric]:
    counts = cache.counts
    for name, description, count in (
        ("hits", "Reads answered from the disk cache", counts.hits),
        ("misses", "Reads that the disk cache could not answer", counts.misses),
        ("stale", "Reads answered from the disk cache because the bucket was down", counts.stale),
        ("compared", "Objects found unchanged in the bucket, by reading one byte", counts.compared),
        ("read_bytes", "Bytes read from the disk cache", counts.bytes_read),
        ("written_bytes", "Bytes written to the disk cache", counts.bytes_written),
        ("evictions", "Entries evicted from the disk cache to make room", counts.evictions),
        ("errors", "Reads and writes of the disk cache that failed, and damaged entries", counts.errors),
        ("dropped", "Values not written to the disk cache because it was too slow", counts.dropped),
    ):
        yield CounterMetricFamily(f"dvidpc_disk_cache_{name}", description, count)
    yield _gauge("disk_cache_bytes", "Bytes of the disk cache, of all servers that share it", cache.nbytes)
    yield _gauge("disk_cache_limit_bytes", "Limit on the bytes of the disk cache", cache.max_bytes)
    yield _gauge(
        "disk_cache_entries", "Entries of the disk cache, of all servers that share it", cache.entries
    )
    yield _gauge("disk_cache_writable", "Whether the disk cache can be written", cache.trouble is None)


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    family.add_metric(labels, histogram.cumulated(), histogram.total)


def _sum(histograms: Iterable[Histogram]) -> Histogram:
    total = Histogram(SECONDS)
    for one in histograms:
        total.counts = [a + b for a, b in zip(total.counts, one.counts, strict=True)]
        total.total += one.total
    return total
