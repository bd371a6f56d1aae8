"""Makes the parts of the server and joins them: the only place that knows them all."""

import asyncio
import logging
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dvidpc import __version__
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.config import Config, LimitsConfig, changed_stores, needs_restart
from dvidpc.data.health import HealthChecks
from dvidpc.data.repo import Repo, derive_repo_uuid
from dvidpc.data.volume_opening import Workshop
from dvidpc.data.volumes import Volumes
from dvidpc.dvid.documents.bodies import LoadCounters, ServerFacts
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.dvid.routes import ENDPOINTS, ROUTES, add_routes
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.http.access_log import AccessLog
from dvidpc.http.admission import Admission
from dvidpc.http.block_list import BlockList
from dvidpc.http.cors import CORS, Cors
from dvidpc.http.gate import Check, make_gate, redirect_to_clean_path, refuse_blocked
from dvidpc.http.metric_sources import METRICS, Sources
from dvidpc.http.middleware import make_middleware
from dvidpc.http.sampling import LoadSampler, Reads
from dvidpc.http.tokens import read_secret, require_token
from dvidpc.run.shortage import LOOK_EVERY_S, Shortage
from dvidpc.sources.buckets import Buckets
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.tasks import abandon, every
from dvidpc.volume.prefetch import Prefetcher
from dvidpc.web.page_routes import PAGES
from dvidpc.web.page_routes import ROUTES as WEB_ROUTES
from dvidpc.web.web_client import WEB_CLIENT, WebClient, serve_file

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

log = logging.getLogger(__name__)

START_WAIT_S = 4.0
"""How long the start waits for buckets, so that the first request is answered within 5 s; volumes whose
bucket takes longer are served once it has answered."""

EXPIRE_EVERY_S = 10.0
"""How often what is cached is looked at for its age."""
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What is answered to everybody: a balancer has no token."""


class Reloading:
    """Exchanges the configuration of a running server."""

    def __init__(self, config: Config, services: Services, buckets: Buckets) -> None:
        self._config = config
        self._services = services
        self._buckets = buckets

    async def use(self, config: Config) -> None:
        """Serve what *config* says; logs what of it takes a restart."""
        for name in needs_restart(self._config, config):
            log.warning("%s has changed; that takes a restart", name)
        changed = changed_stores(self._config, config)
        self._config = config
        self._buckets.use(config)
        self._services.limits = config.limits
        self._services.config_text = await asyncio.to_thread(config.path.read_bytes)
        self._services.admission.use(config.limits)
        await self._services.volumes.replace(self._buckets.sources, changed, START_WAIT_S)


RELOADING: Final = web.AppKey("reloading", Reloading)


def make_app(config: Config, environ: Mapping[str, str], started: float) -> web.Application:
    """The whole server as an aiohttp application; it opens its volumes as it starts.

    Args:
        config: What to serve and how.
        environ: The environment: credentials, the administrator's token and the secret of tokens are
            looked for there.
        started: When the server began, in seconds since the epoch.

    Raises:
        ConfigError: Tokens are asked for, and there is no secret to check them with.
    """
    server = config.server
    cors = Cors(server.cors_domains, allow_timing=server.allow_timing)
    block_list = BlockList(server.block_list_file)
    checks: list[Check] = [redirect_to_clean_path, cors.answer_preflight]
    if block_list.path is not None:
        checks.append(refuse_blocked(block_list))
    gate = make_gate(checks)
    middlewares: list[Middleware] = [gate]
    if config.auth.enforce == "token":
        open_paths = frozenset(server.base_path + path for path in OPEN_PATHS)
        middlewares.append(require_token(read_secret(environ), open_paths))
    app = web.Application(middlewares=middlewares)
    app.on_response_prepare.append(cors.on_prepare)
    app[CORS] = cors
    app[WEB_CLIENT] = WebClient(
        server.web_client, server.web_redirect_path, server.web_default_file, server.base_path
    )
    add_routes(app, server.base_path, (*WEB_ROUTES, *ROUTES), PAGES, serve_file)

    repo = Repo(
        config.repo.uuid or derive_repo_uuid(config.stores[0].ref),
        config.repo.alias,
        config.repo.description,
        started,
    )
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="codec")
    workshop = make_workshop(config, pool)
    buckets = Buckets(config, environ)
    volumes = Volumes(buckets.sources, buckets.open, repo, workshop)
    health = HealthChecks(lambda: volumes.volumes)
    prefetcher = Prefetcher()
    access_log = AccessLog(frozenset(ENDPOINTS))
    sampler = LoadSampler(lambda: _reads_of(buckets.counts.values()))
    shortage = Shortage((workshop.payloads, workshop.held, workshop.indexes))
    app.middlewares.insert(0, make_middleware(access_log, shortage.make_room))
    admission = Admission(config.limits, shortage=lambda: shortage.reason)
    services = app[SERVICES] = Services(
        repo=repo,
        encoded=EncodedDocuments(repo),
        facts=_facts(config, started),
        load=lambda: _load(sampler, access_log, config.limits),
        users=UserLatencies(),
        access_log=access_log,
        limits=config.limits,
        admission=admission,
        shortage=shortage,
        volumes=volumes,
        health=health,
        prefetcher=prefetcher,
        config_text=config.path.read_bytes(),
        admin_token=environ.get("DVID_ADMIN_TOKEN") or None,
        block_list=block_list,
        base_path=server.base_path,
    )
    app[RELOADING] = Reloading(config, services, buckets)

    app[METRICS] = Sources(
        access_log=access_log,
        sampler=sampler,
        upstream=buckets.counts,
        are_left_alone=buckets.are_left_alone,
        caches={"blocks": workshop.payloads, "indexes": workshop.indexes},
        health=health,
        repo=repo,
        admission=admission,
    )

    async def keep_open(_app: web.Application) -> AsyncIterator[None]:
        sampling = asyncio.ensure_future(sampler.run())
        await volumes.start(START_WAIT_S)
        chores = [
            asyncio.ensure_future(chore)
            for chore in (
                admission.sweep(),
                every(EXPIRE_EVERY_S, partial(_expire, workshop)),
                every(LOOK_EVERY_S, shortage.look),
            )
        ]
        yield
        await abandon([sampling, *chores])
        access_log.flush()
        await prefetcher.close()
        await health.close()
        await volumes.close()
        pool.shutdown(cancel_futures=True)
        workshop.isolation.close()

    app.cleanup_ctx.append(keep_open)
    return app


def _expire(workshop: Workshop) -> None:
    workshop.payloads.expire()
    workshop.indexes.expire()


def make_workshop(config: Config, pool: ThreadPoolExecutor) -> Workshop:
    """What all volumes share; close its isolation once the pool is shut down."""
    return Workshop(
        payloads=_make_cache(config.cache.memory, config.limits),
        indexes=_make_cache(config.cache.index_memory, config.limits),
        pool=pool,
    )


def _make_cache(max_bytes: int, limits: LimitsConfig) -> LoadingCache:
    """A cache whose absences are a third of negative_ttl old at most.

    That a block is absent may follow from a minishard's absence, and this from a shard's: three caches.
    """
    return LoadingCache(max_bytes, absence_ttl_s=limits.negative_ttl_s / 3, clock=time.monotonic)


def _reads_of(buckets: Iterable[UpstreamCounts]) -> Reads:
    counts = list(buckets)
    return Reads(sum(one.requests for one in counts), sum(one.nbytes for one in counts))


def _load(sampler: LoadSampler, access_log: AccessLog, limits: LimitsConfig) -> LoadCounters:
    return LoadCounters(
        get_requests=sampler.rate.requests,
        bytes_read=sampler.rate.nbytes,
        tasks=len(asyncio.all_tasks()),
        handlers_active=100 * access_log.in_flight // limits.max_in_flight,
    )


def _facts(config: Config, started: float) -> ServerFacts:
    server = config.server
    return ServerFacts(
        host=f"{server.host or socket.gethostname()}:{server.http_address.port}",
        note=server.note,
        rpc_address=server.rpc_address,
        cores=len(os.sched_getaffinity(0)),
        maximum_cores=os.cpu_count() or 1,
        max_open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        version=f"dvidpc {__version__}",
        started=started,
        toml_location=str(config.path),
        mode="read only" if server.rwmode == "readonly" else "",
    )
