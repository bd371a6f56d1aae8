"""The buckets that the configuration names: where each lies, how it is opened, and its request counts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from weakref import WeakKeyDictionary

from dvidpc.config import Config, LimitsConfig, StoreConfig
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.plan import VolumeSettings
from dvidpc.sources.scale_plan import LabelType
from dvidpc.storage.base import BucketAccess, Lister, ObjectStore, UpstreamLimits
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import bucket_of, open_lister, open_store
from dvidpc.storage.ref import Kind
from dvidpc.storage.ref_formats import PRECOMPUTED
from dvidpc.storage.retry.retrying_store import Gate
from dvidpc.storage.retry.upstream_counts import UpstreamCounts
from dvidpc.storage.shared import Shared

_LABEL_TYPES: Final[Mapping[str, tuple[LabelType, ...]]] = MappingProxyType(
    {
        "labelmap": (LabelType.LABELMAP,),
        "labelblk": (LabelType.LABELBLK,),
        "both": (LabelType.LABELMAP, LabelType.LABELBLK),
    }
)
"""Values of the store's `label_type`."""


class Buckets:
    """Opens the buckets of the current configuration; volumes in one bucket share a gate.

    Args:
        config: The configuration.
        environ: The environment.
        wrap: Puts a disk cache in front of a store. Local directories are on a disk already, so they are
            not wrapped. None: there is no disk cache.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        wrap: Callable[[ObjectStore], ObjectStore] | None = None,
    ) -> None:
        self._environ = environ
        self._wrap = wrap
        self._wrapped: WeakKeyDictionary[ObjectStore, ObjectStore] = WeakKeyDictionary()
        self._shared = Shared()
        self._limits = upstream_limits_of(config.limits)
        self._gates: dict[tuple[str, ...], Gate] = {}
        self._gate_of: dict[str, Gate] = {}
        self.counts: dict[str, UpstreamCounts] = {}
        """Requests to the bucket of each volume, by the alias of its store."""
        self.use(config)

    def use(self, config: Config) -> None:
        """Open what *config* names from now on."""
        limits = upstream_limits_of(config.limits)
        self._stores = {store.alias: store for store in config.stores if store.instance is not None}
        for alias in self._stores:
            self.counts.setdefault(alias, UpstreamCounts())
        if limits != self._limits:
            self._limits, self._gates = limits, {}

    def open_breakers(self) -> dict[str, bool]:
        """Return whether the circuit breaker is open, by the alias of each opened store."""
        opened = {alias: gate for alias, gate in self._gate_of.items() if alias in self._stores}
        return {alias: gate.breaker.is_open for alias, gate in opened.items()}

    @property
    def volumes(self) -> list[VolumeSettings]:
        """The volumes, in the order of the configuration."""
        return [settings_of(store) for store in self._stores.values()]

    async def open(self, volume: VolumeSettings) -> ObjectStore:
        """Open the bucket of *volume*."""
        access = access_of(self._stores[volume.alias])
        self._gate_of[volume.alias] = self._gate(access)
        return await self._open(volume.alias, access)

    async def open_index(self, volume: VolumeSettings) -> tuple[ObjectStore, str]:
        """Open the bucket of the label index of *volume*; return it with the directory of the index."""
        store = self._stores[volume.alias]
        assert store.label_index is not None
        return await self._open(volume.alias, access_of_index(store)), store.label_index.directory

    def _gate(self, access: BucketAccess) -> Gate:
        return self._gates.setdefault(bucket_of(access), Gate(self._limits))

    async def _open(self, alias: str, access: BucketAccess) -> ObjectStore:
        opened = await open_store(
            access,
            self._limits,
            environ=self._environ,
            counts=self.counts[alias],
            gate=self._gate(access),
            shared=self._shared,
        )
        store = CoalescingStore(opened)
        if self._wrap is None or access.ref.kind is Kind.FILE:
            return store
        wrapped = self._wrap(store)
        self._wrapped[wrapped] = store
        return wrapped

    def bucket_below(self, store: ObjectStore) -> ObjectStore:
        """Return what the disk cache in front of *store* reads from; *store* itself if there is none."""
        return self._wrapped.get(store, store)

    async def open_lister(self, volume: VolumeSettings) -> Lister | None:
        """Open what lists the bucket of *volume*; None if it cannot be listed."""
        store = self._stores.get(volume.alias)
        if store is None:  # a reload has removed it
            return None
        return await open_lister(access_of(store), self._limits, environ=self._environ)


def settings_of(store: StoreConfig) -> VolumeSettings:
    """Return the volume that a store of the configuration names."""
    return VolumeSettings(
        store.alias,
        store.instance or "",
        store.block_size,
        store.ref.directory,
        label_types=_LABEL_TYPES[store.label_type],
        engine=store.engine,
        skip_scales=store.skip_scales,
        label_index=None if store.label_index is None else store.label_index.url,
        window=store.window,
        full=store.full,
        is_labels=None if store.type is None else store.type == "segmentation",
        arrays=_selection_of(store),
        sync=store.sync,
        annotations=_annotations_of(store),
    )


def _selection_of(store: StoreConfig) -> ArraySelection:
    """Return what a store says of arrays, by its keys and by its `ref`."""
    named = store.ref.format
    return ArraySelection(
        multiscale=store.multiscale,
        axes=store.axes,
        at=store.at,
        resolution_nm=store.resolution,
        ignore_offset=store.offset == "ignore",
        dimension_separator=store.dimension_separator or (named.dimension_separator if named else None),
        zarr_version=named.version if named else None,
    )


def _annotations_of(store: StoreConfig) -> AnnotationSettings:
    return AnnotationSettings(
        voxel_size_nm=store.voxel_size,
        kinds=store.kind,
        bodies=store.bodies or None,
        tags=store.tags,
        props=store.props,
        margin=None if store.margin is None else (store.margin, store.margin, store.margin),
    )


def access_of(store: StoreConfig) -> BucketAccess:
    """Return the root of a store of the configuration, and how to access it."""
    return BucketAccess(
        ref=store.ref.root,
        endpoint=store.endpoint,
        region=store.region,
        profile=store.profile,
        anonymous=store.anonymous,
        path_style=store.path_style,
        ca_bundle=store.ca_bundle,
        requester_pays=store.requester_pays,
        user_project=store.user_project,
        missing_status=store.missing_status,
        ignore_etag=store.etag == "ignore",
        has_suffixes=store.engine == PRECOMPUTED,
    )


def access_of_index(store: StoreConfig) -> BucketAccess:
    """Return the root of the label index of a store, which must have one, and how to access it."""
    ref = store.label_index
    assert ref is not None
    return replace(access_of(store), ref=ref.root) if ref.kind is store.ref.kind else BucketAccess(ref.root)


def upstream_limits_of(limits: LimitsConfig) -> UpstreamLimits:
    """Return how buckets are asked."""
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
