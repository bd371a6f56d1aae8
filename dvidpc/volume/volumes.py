"""Opens the volumes of the configuration: one that fails stops no other, and is tried again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dvidpc.errors import DvidpcError
from dvidpc.storage.base import ObjectStore
from dvidpc.volume.opening import VolumeSource, Workshop, open_volume
from dvidpc.volume.repo import Instance, Repo
from dvidpc.volume.tasks import abandon

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 10.0
"""How long to wait before a volume that could not be opened is tried again."""


@dataclass(slots=True)
class Volume:
    """One volume of the configuration, and how it stands."""

    source: VolumeSource
    problem: str | None = "not opened yet"
    """Why it is not served; None: it is."""
    instances: Sequence[Instance] = field(default_factory=list)
    store: ObjectStore | None = None
    """Where it lies; None until it is opened."""


class Volumes:
    """Opens volumes and adds their instances to the repo.

    Args:
        sources: The volumes, in the order of the configuration.
        open_store: Opens the bucket of one.
        repo: What gains the instances.
        workshop: What the instances share.
        retry_after_s: How long to wait before a volume that failed is tried again.
    """

    def __init__(
        self,
        sources: Iterable[VolumeSource],
        open_store: Callable[[VolumeSource], Awaitable[ObjectStore]],
        repo: Repo,
        workshop: Workshop,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        self.volumes: Final = tuple(Volume(source) for source in sources)
        self._open_store = open_store
        self._repo = repo
        self._workshop = workshop
        self._retry_after_s = retry_after_s
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, wait_s: float) -> None:
        """Begin to open every volume, and wait until each was tried once, but no longer than *wait_s*."""
        tried = [asyncio.Event() for _ in self.volumes]
        self._tasks = [
            asyncio.ensure_future(self._keep_opening(volume, event))
            for volume, event in zip(self.volumes, tried, strict=True)
        ]
        waits = [asyncio.ensure_future(event.wait()) for event in tried]
        await asyncio.wait(waits, timeout=wait_s)
        await abandon(waits)
        for volume, event in zip(self.volumes, tried, strict=True):
            if not event.is_set():
                log.warning("store %s has not answered yet; serving without it so far", volume.source.alias)

    async def close(self) -> None:
        """Stop trying, and let go of every bucket."""
        await abandon(self._tasks)
        for volume in self.volumes:
            if volume.store is not None:
                await volume.store.close()

    async def _keep_opening(self, volume: Volume, tried: asyncio.Event) -> None:
        while volume.problem is not None:
            problem = await self._try_to_open(volume)
            if problem is not None and problem != volume.problem:
                log.error(
                    "store %s is not served, and tried again from time to time: %s",
                    volume.source.alias,
                    problem,
                )
            if problem is None and tried.is_set():
                log.info("store %s is served now", volume.source.alias)
            volume.problem = problem
            tried.set()
            if problem is not None:
                await asyncio.sleep(self._retry_after_s)

    async def _try_to_open(self, volume: Volume) -> str | None:
        """Why the volume cannot be opened; None if it was."""
        try:
            store = await self._open_store(volume.source)
        except DvidpcError as error:
            return str(error)
        try:
            instances = await open_volume(volume.source, store, self._repo.uuid, self._workshop)
            self._repo.add(instances)
        except DvidpcError as error:
            await store.close()
            return str(error)
        volume.store, volume.instances = store, instances
        return None
