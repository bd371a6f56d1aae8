"""Open the volumes of the configuration and keep their instances in the repo up to date.

A volume that fails does not affect others and is retried. Rewritten metadata takes effect while serving.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from dvidpc.data.instance import Data, Instance, Preparing
from dvidpc.data.instance_opening import make_index_source, make_instances
from dvidpc.data.repo import Repo
from dvidpc.data.served_volume import Volume, plan_volume_of
from dvidpc.errors import ConfigError, DvidpcError, StoreError
from dvidpc.names import may_be_instance_of
from dvidpc.sources.engines import ENGINES, SourceFormat
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.tasks import abandon, keep_running, run_in_background
from dvidpc.volume.resources import Resources

if TYPE_CHECKING:
    from dvidpc.data.volume_index import IndexSource

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 10.0
"""Pause before a volume that could not be opened is retried."""
REFRESH_AFTER_S: Final = 60.0
"""Pause before the metadata of a volume that is served is read again."""
RETIRE_S: Final = 60.0
"""How long a store that is no longer used stays open, for the requests in flight."""


async def _cannot_list(_settings: VolumeSettings) -> Lister | None:
    """Open no lister."""
    return None


async def _cannot_open(settings: VolumeSettings) -> tuple[ObjectStore, str]:
    """Open no label index."""
    raise ConfigError(f"[store.{settings.alias}] label_index cannot be opened here")


class Volumes:
    """Opens volumes and puts their instances into the repo.

    Args:
        settings: The volumes, in the order of the configuration.
        open_store: Opens the store of one.
        repo: Holds the instances.
        resources: What the instances share.
        engines: The formats by the name of their engine.
        open_lister: Opens what lists the store of one; its result is None if the store cannot be listed.
        open_index: Opens the store of the label index of one that has one.
        retry_after_s: Pause before a volume that failed is retried.
        refresh_after_s: Pause before the metadata of a served one is read again.
    """

    def __init__(
        self,
        settings: Iterable[VolumeSettings],
        open_store: Callable[[VolumeSettings], Awaitable[ObjectStore]],
        repo: Repo,
        resources: Resources,
        *,
        engines: Mapping[str, SourceFormat] = ENGINES,
        open_lister: Callable[[VolumeSettings], Awaitable[Lister | None]] = _cannot_list,
        open_index: Callable[[VolumeSettings], Awaitable[tuple[ObjectStore, str]]] = _cannot_open,
        retry_after_s: float = RETRY_AFTER_S,
        refresh_after_s: float = REFRESH_AFTER_S,
    ) -> None:
        self._engines = engines
        self._volumes = {one.alias: self._describe(one) for one in settings}
        self._open_store = open_store
        self._open_lister = open_lister
        self._open_index = open_index
        self._repo = repo
        self._resources = resources
        self._retry_after_s = retry_after_s
        self._refresh_after_s = refresh_after_s
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._retiring: dict[asyncio.Task[None], ObjectStore | IndexSource] = {}

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """The volumes, in the order of the configuration."""
        return tuple(self._volumes.values())

    def reason_to_wait(self, name: str) -> str | None:
        """Return why the instance *name* may appear later; None if it will not.

        Its name may belong to a volume whose bucket does not answer.
        """
        for volume in self.volumes:
            is_candidate = volume.may_pass and not volume.instances
            if is_candidate and may_be_instance_of(name, volume.settings.instance):
                return f"store {volume.settings.alias}: {volume.problem}"
        return None

    async def start(self, wait_s: float) -> None:
        """Start to open every volume; wait until each was tried once, but at most *wait_s*."""
        await self._keep(self._volumes, wait_s)

    async def replace(
        self, settings: Iterable[VolumeSettings], changed: Collection[str], wait_s: float
    ) -> None:
        """Serve *settings* from now on.

        A volume that is unchanged keeps running, unless its alias is in *changed* or it has a problem: then
        it is served as before until it has been opened again. In-flight requests are not affected.

        Args:
            settings: The volumes, in the order of the configuration.
            changed: Aliases of volumes whose stores are reached differently than before.
            wait_s: How long to wait until each was tried.
        """
        before = self._volumes
        self._volumes = {}
        due = []
        for one in settings:
            known = before.pop(one.alias, None)
            goes_on = known is not None and known.settings == one and one.alias not in changed
            if known is not None and goes_on and known.problem is None:
                self._volumes[one.alias] = known
                continue
            due.append(one.alias)
            volume = self._volumes[one.alias] = self._describe(one)
            if known is not None:
                volume.instances, volume.store = known.instances, known.store
                volume.index_source = known.index_source
        await abandon([self._keepers.pop(alias) for alias in {*before, *due} if alias in self._keepers])
        for gone in before.values():
            self._repo.remove(gone.settings.alias)
            self._let_go(gone)
        await self._keep(due, wait_s)

    async def close(self) -> None:
        """Stop retrying and close every store."""
        await abandon([*self._keepers.values(), *self._retiring])
        stores = [one for volume in self._volumes.values() for one in (volume.store, volume.index_source)]
        for store in (*stores, *self._retiring.values()):
            if store is not None:
                await store.close()

    def _describe(self, settings: VolumeSettings) -> Volume:
        return Volume(settings, self._engines[settings.engine])

    async def _keep(self, aliases: Iterable[str], wait_s: float) -> None:
        tried = {alias: asyncio.Event() for alias in aliases}
        for alias, event in tried.items():
            keep_up = partial(self._keep_up, self._volumes[alias], event)
            self._keepers[alias] = keep_running(
                f"store {alias}", keep_up, restart_after_s=self._retry_after_s
            )
        waits = [asyncio.ensure_future(event.wait()) for event in tried.values()]
        if waits:
            await asyncio.wait(waits, timeout=wait_s)
        await abandon(waits)
        for alias, event in tried.items():
            if not event.is_set():
                log.warning("store %s has not answered yet; serving without it until it does", alias)

    async def _keep_up(self, volume: Volume, tried: asyncio.Event) -> None:
        while True:
            try:
                if volume.problem is None:
                    await self._refresh(volume)
                else:
                    await self._open(volume, tried)
            except Exception as error:  # `keep_running` logs it and starts again
                if volume.problem is not None:
                    volume.problem = f"unexpected {type(error).__name__}, a bug of dvidpc that the log shows"
                raise
            finally:
                tried.set()
                volume.planned.set()
            await _prepare(volume.instances)
            await asyncio.sleep(self._refresh_after_s if volume.problem is None else self._retry_after_s)

    async def _open(self, volume: Volume, tried: asyncio.Event) -> None:
        problem = await self._try_to_open(volume)
        if problem is not None and str(problem) != volume.problem:
            log.error(
                "store %s is not served%s: %s; retrying every %g s",
                volume.settings.alias,
                " as configured" if volume.store else "",
                problem,
                self._retry_after_s,
            )
        if problem is None and tried.is_set():
            log.info("store %s is served now", volume.settings.alias)
        volume.problem = None if problem is None else str(problem)
        volume.may_pass = isinstance(problem, StoreError | ConfigError)

    async def _try_to_open(self, volume: Volume) -> DvidpcError | None:
        """Open the volume; return why it cannot be opened, None if it was."""
        try:
            store = await self._open_store(volume.settings)
        except DvidpcError as error:
            return error
        kept, source = False, None
        try:
            metadata = await volume.source_format.load(store, volume.settings)
            plan = await plan_volume_of(volume, metadata, self.volumes)
            open_index = partial(self._open_index, volume.settings)
            source = make_index_source(plan, volume.settings, open_index, self._resources)
            instances = await self._put(volume, store, metadata, plan, source)
            kept = True
        except DvidpcError as error:
            return error
        finally:
            for unused in () if kept else (store, source):
                if unused is not None:
                    await unused.close()
        self._let_go(volume)
        volume.store, volume.metadata, volume.served, volume.instances = store, metadata, plan, instances
        volume.index_source = source
        return None

    async def _put(
        self,
        volume: Volume,
        store: ObjectStore,
        metadata: Metadata,
        plan: VolumePlan,
        source: "IndexSource | None",
    ) -> list[Instance[Data]]:
        """Put the instances that *plan* describes into the repo, in place of the volume's others."""
        settings = volume.settings
        index = None if source is None else await source.look(metadata, plan)
        open_lister = partial(self._open_lister, settings)
        instances = make_instances(
            plan, settings, metadata.directory, store, self._repo.uuid, self._resources, open_lister, index
        )
        self._repo.put(settings.alias, instances, self._volumes)
        return instances

    async def _refresh(self, volume: Volume) -> None:
        """Apply the volume's current metadata; serve as before if it cannot be read or used."""
        assert volume.store is not None
        try:
            metadata = await volume.source_format.load(volume.store, volume.settings)
            source = volume.index_source
            is_indexed_alike = source is None or await source.is_unchanged()
            is_known = metadata == volume.metadata and is_indexed_alike
            if is_known and (volume.served is None or volume.served.collection is None):
                return
            plan = await plan_volume_of(volume, metadata, self.volumes)
            if is_known and plan == volume.served:
                return
            instances = await self._put(volume, volume.store, metadata, plan, source)
        except StoreError as error:
            log.debug("%s", error)
        except DvidpcError as error:
            if str(error) != volume.complaint:
                log.error("store %s was changed, and is served as before: %s", volume.settings.alias, error)
                volume.complaint = str(error)
        else:
            what = "its metadata was rewritten"
            if metadata == volume.metadata:
                what = "the volume that it counts in was rewritten"
                what = what if is_indexed_alike else "its label index has changed"
            log.warning("store %s: %s; serving what it says now", volume.settings.alias, what)
            _forget(volume.instances)
            volume.metadata, volume.served, volume.instances = metadata, plan, instances
            volume.complaint = ""

    def _let_go(self, volume: Volume) -> None:
        """Close the store of *volume* once the requests that read from it have ended."""
        _forget(volume.instances)
        for store in (volume.store, volume.index_source):
            if store is not None:
                task = run_in_background(f"close store {volume.settings.alias}", self._retire(store))
                self._retiring[task] = store

    async def _retire(self, store: "ObjectStore | IndexSource") -> None:
        await asyncio.sleep(RETIRE_S)
        task = asyncio.current_task()
        with contextlib.suppress(StoreError):
            await store.close()
        if task is not None:
            self._retiring.pop(task, None)


async def _prepare(instances: Iterable[Instance[Data]]) -> None:
    """Read what describes meshes and skeletons: the first request for one then takes a round trip less."""
    for instance in instances:
        if isinstance(instance.data, Preparing):
            await instance.data.prepare()


def _forget(instances: Iterable[Instance[Data]]) -> None:
    for instance in instances:
        instance.data.forget()
