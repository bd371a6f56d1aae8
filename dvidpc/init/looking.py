"""Look at the volumes of a configuration before they are served: what each is, or why it cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dvidpc.config import Config, StoreConfig
from dvidpc.errors import ConfigError, DvidpcError, NoMetadataError, StoreError, StoreRefusedError
from dvidpc.log.escaping import one_line
from dvidpc.sources.buckets import Buckets
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.ref import Kind
from dvidpc.tasks import gather_or_cancel


@dataclass(frozen=True, slots=True)
class SeenVolume:
    """A volume that can be served."""

    store: StoreConfig
    plan: VolumePlan


async def look(config: Config, environ: Mapping[str, str]) -> list[SeenVolume]:
    """Read what describes each volume of *config*, in order.

    The format of a volume whose `ref` names none is found out: `SeenVolume.store` has its engine.

    Raises:
        ConfigError: A volume does not exist, cannot be understood or may not be read. The message is one
            line: what was tried, what came of it, and what to do.
        StoreError: The bucket did not answer; likewise.
    """
    buckets = Buckets(config, environ)
    stores = {store.alias: store for store in config.stores}
    return await gather_or_cancel(
        _look_at(settings, stores[settings.alias], buckets) for settings in buckets.volumes
    )


async def find_engines(config: Config, environ: Mapping[str, str]) -> Config:
    """Return *config* with the engine of each volume whose `ref` names no format.

    A volume that cannot be read is left as it is.
    """
    buckets = Buckets(config, environ)
    stores = {store.alias: store for store in config.stores}
    found = await gather_or_cancel(
        _with_engine(settings, stores[settings.alias], buckets) for settings in buckets.volumes
    )
    return replace(config, stores=tuple(found))


async def _with_engine(settings: VolumeSettings, store: StoreConfig, buckets: Buckets) -> StoreConfig:
    try:
        opened = await buckets.open(settings)
        try:
            await ENGINES[settings.engine].load(opened, settings)
        finally:
            await opened.close()
    except NoMetadataError as error:
        return _in_format_of(error, store) or store
    except DvidpcError:
        pass
    return store


def _in_format_of(error: NoMetadataError, store: StoreConfig) -> StoreConfig | None:
    """Return the store with the engine of what is there instead; None if its `ref` names another format."""
    if error.engine is None or store.ref.format is not None:
        return None
    return replace(store, engine=error.engine)


async def _look_at(settings: VolumeSettings, store: StoreConfig, buckets: Buckets) -> SeenVolume:
    try:
        opened = await buckets.open(settings)
        try:
            return await _open_any(settings, store, opened)
        except NoMetadataError as error:
            raise ConfigError(await _explain_absence(error, settings, store, buckets, opened)) from error
        finally:
            await opened.close()
    except ConfigError:
        raise
    except DvidpcError as error:
        raise _explain(error, store) from error


async def _open_any(settings: VolumeSettings, store: StoreConfig, opened: ObjectStore) -> SeenVolume:
    """Plan a volume; if its `ref` names no format, in the format of what is there."""
    try:
        metadata = await ENGINES[settings.engine].load(opened, settings)
    except NoMetadataError as error:
        found = _in_format_of(error, store)
        if found is None:
            raise
        store, settings = found, replace(settings, engine=found.engine)
        metadata = await ENGINES[settings.engine].load(opened, settings)
    return SeenVolume(store, ENGINES[settings.engine].plan(metadata, settings))


async def _explain_absence(
    error: NoMetadataError,
    settings: VolumeSettings,
    store: StoreConfig,
    buckets: Buckets,
    opened: ObjectStore,
) -> str:
    """Return what was tried, and where the volume may be instead."""
    answer = "no such file" if store.ref.kind is Kind.FILE else "404, not found"
    what = f"{store.ref.url} is not a volume: {answer}: {error}"
    lister = None
    try:
        lister = await buckets.open_lister(settings)
        nearby = await ENGINES[settings.engine].find_nearby(opened, lister, settings.directory)
    except DvidpcError:
        nearby = None  # the bucket refuses to be listed, or fails now
    finally:
        if lister is not None:
            await lister.close()
    advice = "name the directory that holds the volume's info, or a group or array of zarr or N5"
    if nearby is None:
        return one_line(f"{what}; {advice}")
    if nearby.directory is None:
        return one_line(f"{what}; {nearby.text}; {advice}")
    prefix = f"{store.ref.root_prefix}/{nearby.directory}".strip("/")
    place = replace(store.ref, prefix=f"/{prefix}" if store.ref.kind is Kind.FILE else prefix)
    return one_line(f"{what}; {nearby.text}; name {place.url}")


def _explain(error: DvidpcError, store: StoreConfig) -> DvidpcError:
    """Return the error to show: its reason, and what to do about it."""
    text = f"{store.ref.url} cannot be served: {error}"
    is_bucket = store.ref.kind in {Kind.S3, Kind.GCS, Kind.VAST}
    if isinstance(error, StoreRefusedError):
        advice = "sign in, or name a place that you may read"
        if is_bucket and not store.anonymous:
            advice = "if it is public, add --anonymous"
        elif is_bucket:
            advice = "if it is not public, leave --anonymous out and sign in"
        return ConfigError(one_line(f"{text}; {advice}"))
    if isinstance(error, StoreError):
        return StoreError(one_line(f"{text}; check the address and the network"))
    return ConfigError(one_line(f"{text}; dvidpc check says more"))
