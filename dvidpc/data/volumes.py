"""Opens the volumes of the configuration, and keeps up with them.

One that fails stops no other, and is tried again; one whose `info` is rewritten is served as it is now.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dvidpc.data.repo import Instance, Repo
from dvidpc.data.volume_opening import VolumeSource, Workshop, make_instances
from dvidpc.errors import DvidpcError, StoreError
from dvidpc.sources.precomputed.location import find_info
from dvidpc.storage.base import ObjectStore
from dvidpc.tasks import abandon

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 10.0
"""How long to wait before a volume that could not be opened is tried again."""
LOOK_AGAIN_S: Final = 60.0
"""How long to wait before the `info` of a volume that is served is read again."""
RETIRE_S: Final = 60.0
"""How long a bucket nobody is sent to any more stays open, for the requests under way."""


@dataclass(slots=True)
class Volume:
    """One volume of the configuration, and how it stands."""

    source: VolumeSource
    problem: str | None = "not opened yet"
    """Why it is not served as the configuration says; None: it is."""
    may_pass: bool = True
    """Whether the problem is one that passes by itself: the bucket's, not what its `info` says."""
    instances: Sequence[Instance] = field(default_factory=list)
    """What the repo has of it."""
    store: ObjectStore | None = None
    """Where the instances are read from; None: there are none."""
    info: tuple[str, bytes] = ("", b"")
    """What the instances were made of, and in which directory it was."""
    complaint: str = ""
    """What was last said of an `info` that cannot be used."""


class Volumes:
    """Opens volumes and has their instances in the repo.

    Args:
        sources: The volumes, in the order of the configuration.
        open_store: Opens the bucket of one.
        repo: What has the instances.
        workshop: What the instances share.
        retry_after_s: How long to wait before a volume that failed is tried again.
        look_again_s: How long to wait before the `info` of one that is served is read again.
    """

    def __init__(
        self,
        sources: Iterable[VolumeSource],
        open_store: Callable[[VolumeSource], Awaitable[ObjectStore]],
        repo: Repo,
        workshop: Workshop,
        retry_after_s: float = RETRY_AFTER_S,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._volumes = {source.alias: Volume(source) for source in sources}
        self._open_store = open_store
        self._repo = repo
        self._workshop = workshop
        self._retry_after_s = retry_after_s
        self._look_again_s = look_again_s
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._retiring: dict[asyncio.Task[None], ObjectStore] = {}

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """The volumes, in the order of the configuration."""
        return tuple(self._volumes.values())

    def reason_to_wait(self, name: str) -> str | None:
        """Why data called *name* may come later: its bucket does not answer; None: it will not come."""
        for volume in self.volumes:
            base, _, level = name.rpartition("_")
            is_scale = name == volume.source.instance or (
                base == volume.source.instance and level.isdecimal()
            )
            if is_scale and volume.may_pass and not volume.instances:
                return f"store {volume.source.alias}: {volume.problem}"
        return None

    async def start(self, wait_s: float) -> None:
        """Begin to open every volume, and wait until each was tried once, but no longer than *wait_s*."""
        await self._keep(self._volumes, wait_s)

    async def replace(self, sources: Iterable[VolumeSource], changed: Collection[str], wait_s: float) -> None:
        """Serve *sources* from now on.

        A volume that is there already goes on as it is, unless its alias is in *changed*: then it is
        served as before until it has been opened anew. Requests under way end undisturbed.

        Args:
            sources: The volumes, in the order of the configuration.
            changed: Aliases of those that are reached otherwise than before.
            wait_s: How long to wait for each to be tried.
        """
        before = self._volumes
        self._volumes = {}
        due = []
        for source in sources:
            known = before.pop(source.alias, None)
            if known is not None and known.source == source and source.alias not in changed:
                self._volumes[source.alias] = known
                continue
            due.append(source.alias)
            volume = self._volumes[source.alias] = Volume(source)
            if known is not None:
                volume.instances, volume.store = known.instances, known.store
        await abandon([self._keepers.pop(alias) for alias in {*before, *due} if alias in self._keepers])
        for gone in before.values():
            self._repo.remove(gone.source.alias)
            self._let_go(gone)
        await self._keep(due, wait_s)

    async def close(self) -> None:
        """Stop trying, and let go of every bucket."""
        await abandon([*self._keepers.values(), *self._retiring])
        stores = [volume.store for volume in self._volumes.values()]
        for store in (*stores, *self._retiring.values()):
            if store is not None:
                await store.close()

    async def _keep(self, aliases: Iterable[str], wait_s: float) -> None:
        tried = {alias: asyncio.Event() for alias in aliases}
        for alias, event in tried.items():
            self._keepers[alias] = asyncio.ensure_future(self._keep_up(self._volumes[alias], event))
        waits = [asyncio.ensure_future(event.wait()) for event in tried.values()]
        if waits:
            await asyncio.wait(waits, timeout=wait_s)
        await abandon(waits)
        for alias, event in tried.items():
            if not event.is_set():
                log.warning("store %s has not answered yet; serving without it so far", alias)

    async def _keep_up(self, volume: Volume, tried: asyncio.Event) -> None:
        while True:
            try:
                if volume.problem is None:
                    await self._look_again(volume)
                else:
                    await self._open(volume, tried)
            except MemoryError:
                log.error("store %s: out of memory; it is looked at again later", volume.source.alias)
            tried.set()
            await asyncio.sleep(self._look_again_s if volume.problem is None else self._retry_after_s)

    async def _open(self, volume: Volume, tried: asyncio.Event) -> None:
        problem = await self._try_to_open(volume)
        if problem is not None and str(problem) != volume.problem:
            log.error(
                "store %s is not served%s, and tried again from time to time: %s",
                volume.source.alias,
                " as configured" if volume.store else "",
                problem,
            )
        if problem is None and tried.is_set():
            log.info("store %s is served now", volume.source.alias)
        volume.problem = None if problem is None else str(problem)
        volume.may_pass = isinstance(problem, StoreError)

    async def _try_to_open(self, volume: Volume) -> DvidpcError | None:
        """Why the volume cannot be opened; None if it was."""
        try:
            store = await self._open_store(volume.source)
        except DvidpcError as error:
            return error
        kept = False
        try:
            info = await find_info(store, volume.source.directory)
            instances = make_instances(volume.source, store, self._repo.uuid, self._workshop, *info)
            self._repo.put(volume.source.alias, instances)
            kept = True
        except DvidpcError as error:
            return error
        finally:
            if not kept:
                await store.close()
        self._let_go(volume)
        volume.store, volume.info, volume.instances = store, info, instances
        return None

    async def _look_again(self, volume: Volume) -> None:
        """Serve the volume as its `info` says now; as before, if that cannot be read or used."""
        assert volume.store is not None
        try:
            info = await find_info(volume.store, volume.source.directory)
            if info == volume.info:
                return
            instances = make_instances(volume.source, volume.store, self._repo.uuid, self._workshop, *info)
            self._repo.put(volume.source.alias, instances)
        except StoreError as error:
            log.debug("%s", error)
        except DvidpcError as error:
            if str(error) != volume.complaint:
                log.error("store %s was changed, and is served as before: %s", volume.source.alias, error)
                volume.complaint = str(error)
        else:
            log.warning("store %s: its info was rewritten; serving what it says now", volume.source.alias)
            _forget(volume.instances)
            volume.info, volume.instances, volume.complaint = info, instances, ""

    def _let_go(self, volume: Volume) -> None:
        """Close the store of *volume* once the requests that read from it have ended."""
        if volume.store is None:
            return
        _forget(volume.instances)
        task = asyncio.ensure_future(self._retire(volume.store))
        self._retiring[task] = volume.store

    async def _retire(self, store: ObjectStore) -> None:
        await asyncio.sleep(RETIRE_S)
        task = asyncio.current_task()
        with contextlib.suppress(StoreError):
            await store.close()
        if task is not None:
            self._retiring.pop(task, None)


def _forget(instances: Iterable[Instance]) -> None:
    for instance in instances:
        instance.grid.forget()
