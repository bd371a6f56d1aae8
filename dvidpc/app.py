"""Makes the parts of the server and joins them: the only place that knows them all."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from dvidpc import __version__
from dvidpc.api.block_list import BlockList
from dvidpc.api.cors import CORS, Cors
from dvidpc.api.documents import LoadCounters, ServerFacts
from dvidpc.api.encoded import EncodedDocuments
from dvidpc.api.gate import make_gate, redirect_to_clean_path, refuse_blocked
from dvidpc.api.latencies import UserLatencies
from dvidpc.api.middleware import rim
from dvidpc.api.routes import add_routes
from dvidpc.api.services import SERVICES, Services
from dvidpc.api.web_client import WEB_CLIENT, WebClient
from dvidpc.config import Config, LimitsConfig, StoreConfig
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.volume.cache import LoadingCache
from dvidpc.volume.opening import VolumeSource, Workshop
from dvidpc.volume.prefetch import Prefetcher
from dvidpc.volume.repo import Repo, derive_repo_uuid
from dvidpc.volume.volumes import Volumes

START_WAIT_S = 5.0
"""How long the start waits for buckets; those that take longer are served once they have answered."""


def make_app(config: Config, environ: Mapping[str, str], started: float) -> web.Application:
    """The whole server as an aiohttp application; it opens its volumes as it starts.

    Args:
        config: What to serve and how.
        environ: The environment: credentials and the administrator's token are looked for there.
        started: When the server began, in seconds since the epoch.
    """
    server = config.server
    cors = Cors(server.cors_domains, allow_timing=server.allow_timing)
    block_list = BlockList(server.block_list_file)
    gate = make_gate([redirect_to_clean_path, cors.answer_preflight, refuse_blocked(block_list)])
    app = web.Application(middlewares=[rim, gate])
    app.on_response_prepare.append(cors.on_prepare)
    app[CORS] = cors
    app[WEB_CLIENT] = WebClient(
        server.web_client, server.web_redirect_path, server.web_default_file, server.base_path
    )
    add_routes(app, server.base_path)

    repo = Repo(
        config.repo.uuid or derive_repo_uuid(config.stores[0].ref),
        config.repo.alias,
        config.repo.description,
        started,
    )
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="codec")
    workshop = Workshop(
        payloads=_make_cache(config.cache.memory, config.limits),
        indexes=_make_cache(config.cache.index_memory, config.limits),
        pool=pool,
    )
    stores = {store.alias: store for store in config.stores if store.instance is not None}
    limits = _upstream_limits(config.limits)

    async def open_bucket(source: VolumeSource) -> ObjectStore:
        return CoalescingStore(await open_store(_access(stores[source.alias]), limits, environ=environ))

    volumes = Volumes(map(_source, stores.values()), open_bucket, repo, workshop)
    prefetcher = Prefetcher()
    app[SERVICES] = Services(
        repo=repo,
        encoded=EncodedDocuments(repo),
        facts=_facts(config, started),
        load=lambda: LoadCounters(tasks=len(asyncio.all_tasks())),
        users=UserLatencies(),
        limits=config.limits,
        volumes=volumes,
        prefetcher=prefetcher,
        config_text=config.path.read_bytes(),
        admin_token=environ.get("DVID_ADMIN_TOKEN") or None,
        block_list=block_list,
        base_path=server.base_path,
    )

    async def keep_open(_app: web.Application) -> AsyncIterator[None]:
        await volumes.start(START_WAIT_S)
        yield
        await prefetcher.close()
        await volumes.close()
        pool.shutdown(cancel_futures=True)

    app.cleanup_ctx.append(keep_open)
    return app


def _make_cache(max_bytes: int, limits: LimitsConfig) -> LoadingCache:
    return LoadingCache(max_bytes, absence_ttl_s=limits.negative_ttl_s, clock=time.monotonic)


def _source(store: StoreConfig) -> VolumeSource:
    return VolumeSource(store.alias, store.instance or "", store.block_size)


def _access(store: StoreConfig) -> BucketAccess:
    return BucketAccess(
        ref=store.ref,
        endpoint=store.endpoint,
        region=store.region,
        profile=store.profile,
        anonymous=store.anonymous,
        path_style=store.path_style,
        ca_bundle=store.ca_bundle,
        requester_pays=store.requester_pays,
        user_project=store.user_project,
        missing_status=store.missing_status,
    )


def _upstream_limits(limits: LimitsConfig) -> UpstreamLimits:
    return UpstreamLimits(
        connect_timeout_s=limits.connect_timeout_s,
        first_byte_timeout_s=limits.first_byte_timeout_s,
        attempt_timeout_s=limits.attempt_timeout_s,
        attempts=limits.attempts,
        backoff_min_s=limits.backoff_min_s,
        backoff_max_s=limits.backoff_max_s,
        max_retry_after_s=limits.max_retry_after_s,
        retry_budget=limits.retry_budget,
        concurrency=limits.upstream_concurrency,
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
