"""Open the stores of a configuration for a check, and plan the volumes that a collection depends on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from dvidpc.config import Config, StoreConfig
from dvidpc.errors import ConfigError, DvidpcError, StoreError
from dvidpc.sources.buckets import access_of, settings_of, upstream_limits_of
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.framing_plan import Neighbour
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.shared import Shared


@asynccontextmanager
async def opened(
    store: StoreConfig, config: Config, environ: Mapping[str, str], shared: Shared
) -> AsyncIterator[tuple[ObjectStore, Lister | None]]:
    """Open the store for reading and for listing, as the server does; None if it cannot be listed."""
    access, limits = access_of(store), upstream_limits_of(config.limits)
    bucket = await open_store(access, limits, environ=environ, shared=shared)
    try:
        lister = await open_lister(access, limits, environ=environ, shared=shared)
        try:
            yield bucket, lister
        finally:
            if lister is not None:
                await lister.close()
    finally:
        await bucket.close()


async def find_neighbours(
    config: Config, store: StoreConfig, environ: Mapping[str, str], shared: Shared
) -> list[Neighbour]:
    """Return the other volumes of a configuration, planned as the server does."""
    others = [other for other in config.stores if other is not store and other.instance is not None]
    return [await _find_neighbour(other, config, environ, shared) for other in others]


async def _find_neighbour(
    store: StoreConfig, config: Config, environ: Mapping[str, str], shared: Shared
) -> Neighbour:
    settings, engine = settings_of(store), ENGINES[store.engine]
    try:
        async with opened(store, config, environ, shared) as (bucket, _):
            metadata = await engine.load(bucket, settings)
            return Neighbour(settings, engine.plan(metadata, settings))
    except DvidpcError as error:
        may_pass = isinstance(error, StoreError | ConfigError)
        return Neighbour(settings, None, str(error), may_pass)
