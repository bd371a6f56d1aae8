"""Make the parts of the server and join them: the only module that knows them all."""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from dvidpc import __version__
from dvidpc.config import Address, Config, LimitsConfig, ServerConfig
from dvidpc.data.health import HealthChecks
from dvidpc.data.repo import Repo, derive_repo_uuid
from dvidpc.data.volumes import Volumes
from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.dvid.documents.server_documents import LoadCounters, ServerFacts
from dvidpc.dvid.public import PublicData
from dvidpc.dvid.routes import ROUTES, add_routes
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.dvid.table import Api, Family
from dvidpc.http.access_log import AccessLog
from dvidpc.http.admission import Admission
from dvidpc.http.block_list import BlockList
from dvidpc.http.cors import CORS, Cors
from dvidpc.http.gate import Check, make_gate, redirect_to_clean_path, refuse_blocked
from dvidpc.http.hosts import HOSTS, Hosts
from dvidpc.http.lifetime import LIFETIME, lifetime_of
from dvidpc.http.loopback import is_loopback_name
from dvidpc.http.metric_sources import METRICS, Sources
from dvidpc.http.middleware import make_middleware
from dvidpc.http.sampling import LoadSampler, Reads
from dvidpc.http.tokens import read_secret, require_token
from dvidpc.http.wire import DRAINING
from dvidpc.run.disk_tier import keeping_open, make_disk_cache
from dvidpc.run.memory import MemoryGuard
from dvidpc.run.reload import RELOADING, START_WAIT_S, Reloading
from dvidpc.sources.buckets import Buckets
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.tasks import abandon, every, keep_running
from dvidpc.threads import ThreadPool
from dvidpc.volume.prefetch import Prefetcher
from dvidpc.volume.resources import Resources, make_resources
from dvidpc.web.page_routes import PAGES
from dvidpc.web.page_routes import ROUTES as WEB_ROUTES
from dvidpc.web.web_client import WEB_CLIENT, WebClient, serve_file

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from dvidpc.cache.disk.disk_cache import DiskCache

EXPIRE_EVERY_S: Final = 10.0
"""How often cached values are checked for their age."""
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""Paths that need no token: a load balancer has none."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of the server that live as long as it does."""

    repo: Repo
    public: PublicData
    pool: ThreadPoolExecutor
    resources: Resources
    disk: "DiskCache | None"
    """None if none is configured."""
    buckets: Buckets
    volumes: Volumes
    health: HealthChecks
    prefetcher: Prefetcher
    access_log: AccessLog
    sampler: LoadSampler
    memory: MemoryGuard
    admission: Admission
    block_list: BlockList


def make_app(
    config: Config,
    environ: Mapping[str, str],
    started: float,
    *,
    families: Mapping[str, Family[Any]] = FAMILIES,
) -> web.Application:
    """Make the whole server as an aiohttp application, which opens its volumes as it starts.

    Args:
        config: What to serve and how.
        environ: The environment: credentials, the administrator's token and the secret of tokens.
        started: When the server started, in seconds since the epoch.
        families: The types of data that instances can have.

    Raises:
        ConfigError: Tokens are required but there is no secret to check them with, or a file that the
            configuration names cannot be read.
    """
    api = Api((*WEB_ROUTES, *ROUTES), families)
    parts = _make_parts(config, environ, started, api)
    server = config.server
    cors = Cors(server.cors_domains, allow_timing=server.allow_timing, public=parts.public)
    hosts = _hosts(server)
    app = web.Application(middlewares=_middlewares(config, environ, cors, hosts, parts))
    app.on_response_prepare.append(cors.on_prepare)
    app[CORS] = cors
    app[HOSTS] = hosts
    app[LIFETIME] = lifetime_of(
        server.max_age_s, server.stale_while_revalidate_s, is_shared=config.auth.enforce == "none"
    )
    app[WEB_CLIENT] = _web_client(config)
    app[SERVICES] = _services(config, environ, started, parts)
    app[DRAINING] = app[SERVICES].stopping
    app[RELOADING] = Reloading(config, app[SERVICES], parts.buckets)
    app[METRICS] = _metric_sources(parts)
    add_routes(app, server.base_path, api, PAGES, serve_file)
    app.cleanup_ctx.append(partial(_keep_open, parts))
    return app


def _make_parts(config: Config, environ: Mapping[str, str], started: float, api: Api) -> _Parts:
    repo = Repo(
        config.repo.uuid or derive_repo_uuid(config.stores[0].ref.text),
        config.repo.alias,
        config.repo.description,
        started,
    )
    pool = ThreadPool(os.cpu_count() or 1, thread_name_prefix="codec")
    resources = make_resources(config.cache, config.limits, pool)
    disk = make_disk_cache(config.cache)
    buckets = Buckets(config, environ, None if disk is None else disk.wrap)
    volumes = Volumes(
        buckets.volumes,
        buckets.open,
        repo,
        resources,
        open_lister=buckets.open_lister,
        open_index=buckets.open_index,
    )
    memory = MemoryGuard(resources.caches)
    admission = Admission(config.limits, shortage=lambda: memory.reason)
    return _Parts(
        repo=repo,
        public=PublicData(repo, config.stores),
        pool=pool,
        resources=resources,
        disk=disk,
        buckets=buckets,
        volumes=volumes,
        health=HealthChecks(lambda: volumes.volumes, bucket_of=buckets.bucket_below),
        prefetcher=Prefetcher(),
        access_log=AccessLog(api.is_endpoint),
        sampler=LoadSampler(lambda: _reads_of(buckets.counts.values()), is_busy=admission.busy.is_set),
        memory=memory,
        admission=admission,
        block_list=BlockList(config.server.block_list_file),
    )


def _hosts(server: ServerConfig) -> Hosts:
    """Return the guard of host names; whether it is needed is known for certain once the server listens."""
    address = server.http_address
    listens_at = address.host if isinstance(address, Address) else None
    own = [name for name in (server.host, listens_at) if name is not None]
    return Hosts(server.allowed_hosts, own, is_local=listens_at is not None and is_loopback_name(listens_at))


def _middlewares(
    config: Config, environ: Mapping[str, str], cors: Cors, hosts: Hosts, parts: _Parts
) -> "list[Middleware]":
    server = config.server
    checks: list[Check] = [hosts.check, redirect_to_clean_path, cors.answer_preflight]
    if parts.block_list.path is not None:
        checks.append(refuse_blocked(parts.block_list))
    outermost = make_middleware(parts.access_log, parts.memory.make_room)
    middlewares: list[Middleware] = [outermost, make_gate(checks)]
    if config.auth.enforce == "token":
        open_paths = frozenset(server.base_path + path for path in OPEN_PATHS)
        middlewares.append(require_token(read_secret(environ), open_paths))
    return middlewares


def _web_client(config: Config) -> WebClient:
    server = config.server
    return WebClient(server.web_client, server.web_redirect_path, server.web_default_file, server.base_path)


def _services(config: Config, environ: Mapping[str, str], started: float, parts: _Parts) -> Services:
    return Services(
        repo=parts.repo,
        public=parts.public,
        encoded=EncodedDocuments(parts.repo),
        facts=_facts(config, started),
        load=lambda: _load(parts, config.limits),
        users=UserLatencies(),
        access_log=parts.access_log,
        limits=config.limits,
        admission=parts.admission,
        volumes=parts.volumes,
        health=parts.health,
        prefetcher=parts.prefetcher,
        config_text=config.text,
        admin_token=environ.get("DVID_ADMIN_TOKEN") or None,
        block_list=parts.block_list,
        disk_trouble=lambda: None if parts.disk is None else parts.disk.trouble,
        base_path=config.server.base_path,
    )


def _metric_sources(parts: _Parts) -> Sources:
    return Sources(
        access_log=parts.access_log,
        sampler=parts.sampler,
        upstream=parts.buckets.counts,
        open_breakers=parts.buckets.open_breakers,
        caches={"blocks": parts.resources.payloads, "indexes": parts.resources.indexes},
        disk=parts.disk,
        health=parts.health,
        repo=parts.repo,
        admission=parts.admission,
    )


async def _keep_open(parts: _Parts, _app: web.Application) -> AsyncIterator[None]:
    """Open the volumes and run the background work while the application runs."""
    sampling = keep_running("load sampling", parts.sampler.run)
    async with keeping_open(parts.disk):
        await parts.volumes.start(START_WAIT_S)
        chores = [
            keep_running("admission", parts.admission.sweep),
            keep_running("cache expiry", lambda: every(EXPIRE_EVERY_S, parts.resources.expire)),
            keep_running("memory guard", lambda: parts.memory.watch(parts.admission.busy)),
        ]
        yield
        await abandon([sampling, *chores])
        parts.access_log.flush()
        await parts.prefetcher.close()
        await parts.health.close()
        await parts.volumes.close()
    parts.pool.shutdown(cancel_futures=True)
    parts.resources.isolation.close()


def _reads_of(buckets: Iterable[UpstreamCounts]) -> Reads:
    counts = list(buckets)
    return Reads(sum(one.requests for one in counts), sum(one.nbytes for one in counts))


def _load(parts: _Parts, limits: LimitsConfig) -> LoadCounters:
    return LoadCounters(
        get_requests=parts.sampler.rate.requests,
        bytes_read=parts.sampler.rate.nbytes,
        tasks=len(asyncio.all_tasks()),
        handlers_active=100 * parts.access_log.in_flight // limits.max_in_flight,
    )


def _public_name(server: ServerConfig) -> str:
    """Return the name and the port that clients are told; no port behind a socket in the file system."""
    host = server.host or socket.gethostname()
    address = server.http_address
    return f"{host}:{address.port}" if isinstance(address, Address) else host


def _facts(config: Config, started: float) -> ServerFacts:
    server = config.server
    return ServerFacts(
        host=_public_name(server),
        note=server.note,
        rpc_address=server.rpc_address,
        cores=len(os.sched_getaffinity(0)),
        maximum_cores=os.cpu_count() or 1,
        max_open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        version=f"dvidpc {__version__}",
        started=started,
        toml_location=str(config.path),
        scheme="http" if server.tls_cert is None else "https",
        mode="read only" if server.rwmode == "readonly" else "",
    )
