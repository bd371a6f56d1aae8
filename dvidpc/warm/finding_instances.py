"""Find the instances that a prefetch names, and open what they are read from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dvidpc.config import Config, StoreConfig
from dvidpc.errors import ConfigError
from dvidpc.names import may_be_instance_of
from dvidpc.sources.buckets import access_of, settings_of, upstream_limits_of
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.scale_plan import InstancePlan
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import Kind
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.storage.shared import Shared
from dvidpc.warm.metered_stores import MeteredStore, note_asked, note_given
from dvidpc.warm.pace import Pace
from dvidpc.warm.targets import scales_of_instance


@dataclass(frozen=True, slots=True)
class OpenVolume:
    """A volume, and the store that it is read from, through the disk cache."""

    config: StoreConfig
    store: ObjectStore
    bucket: ObjectStore
    """What lies below the disk cache."""
    plan: VolumePlan

    async def probe(self) -> None:
        """Read the metadata from the bucket, past the disk cache.

        Raises:
            FormatError: There are none any more.
            StoreError: The bucket is down.
        """
        await ENGINES[self.config.engine].load(self.bucket, settings_of(self.config))


@dataclass(frozen=True, slots=True)
class FoundInstance:
    """An instance and its scales, finest first."""

    name: str
    volume: OpenVolume
    scales: Sequence[InstancePlan]


@dataclass(slots=True)
class VolumeOpener:
    """Opens the volumes of a configuration as the server does, each once; close it after use.

    Args:
        config: The configuration.
        environ: The environment.
        wrap: Puts the disk cache in front of a store.
        pace: Delays reads from buckets.
        note_read: Called with the bytes of each read from a bucket.
    """

    config: Config
    environ: Mapping[str, str]
    wrap: Callable[[ObjectStore], ObjectStore]
    pace: Pace
    note_read: Callable[[int], None]
    counts: UpstreamCounts = field(default_factory=UpstreamCounts)
    """Requests to all buckets."""
    _shared: Shared = field(default_factory=Shared)
    _opened: dict[str, OpenVolume] = field(default_factory=dict)

    async def find(self, name: str) -> FoundInstance:
        """Open the volume that an instance belongs to.

        Raises:
            ConfigError: There is no such instance, or none whose chunks can be read into the disk cache.
            FormatError: The volume is damaged.
            StoreError: The bucket failed.
        """
        stores = [store for store in self.config.stores if store.instance is not None]
        known = []
        for store in stores:
            assert store.instance is not None
            if may_be_instance_of(name, store.instance):
                _check_is_cached(store)
                volume = await self._open(store)
                if scales := scales_of_instance(volume.plan, name):
                    return FoundInstance(name, volume, scales)
                _check_is_voxels(volume.plan, name)
                known += _names_in(volume.plan)
        shown = ", ".join(known or [str(store.instance) for store in stores])
        raise ConfigError(f"--instance {name}: there is no such instance; there are {shown}")

    async def close(self) -> None:
        """Close all stores."""
        for volume in self._opened.values():
            await volume.store.close()

    async def _open(self, store: StoreConfig) -> OpenVolume:
        known = self._opened.get(store.alias)
        if known is not None:
            return known
        limits = upstream_limits_of(self.config.limits)
        bucket = await open_store(
            access_of(store), limits, environ=self.environ, counts=self.counts, shared=self._shared
        )
        joined = CoalescingStore(MeteredStore(bucket, self.note_read, self.pace))
        opened = MeteredStore(self.wrap(MeteredStore(joined, note_asked)), note_given)
        settings, engine = settings_of(store), ENGINES[store.engine]
        try:
            plan = engine.plan(await engine.load(opened, settings), settings)
        except BaseException:
            await opened.close()
            raise
        volume = self._opened[store.alias] = OpenVolume(store, opened, joined, plan)
        return volume


def _check_is_cached(store: StoreConfig) -> None:
    """Check that what lies in a store is kept by the disk cache.

    Raises:
        ConfigError: It is a local directory.
    """
    if store.ref.kind is Kind.FILE:
        raise ConfigError(
            f"--instance {store.instance}: {store.ref.url} is a local directory; the disk cache leaves those "
            "out, because they are on a disk already"
        )


def _check_is_voxels(plan: VolumePlan, name: str) -> None:
    """Check that an instance is not one of those that are no voxels.

    Raises:
        ConfigError: It is.
    """
    kind = next((one.companion.value for one in plan.companions if one.name == name), None)
    if kind is None and plan.collection is not None:
        kind = "annotations"
    if kind is not None:
        raise ConfigError(
            f"--instance {name}: it holds {kind}; only chunks of images and segmentations are prefetched"
        )


def _names_in(plan: VolumePlan) -> list[str]:
    """Return the names of the instances of a volume, each once."""
    instances = (one for scale in plan.scales for one in plan.instances_of(scale))
    return list(dict.fromkeys(one.name for one in instances))
