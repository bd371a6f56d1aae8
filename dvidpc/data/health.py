"""Whether every volume can be read right now: its `info` and a block of it are, when somebody asks.

The block is the one in the middle of the coarsest scale. It is read as for a client, through the caches: the
bucket is asked for it once in half an hour, if it is stored. That it is not stored is an answer too.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.data.repo import Instance
from dvidpc.data.volumes import Volume
from dvidpc.errors import DvidpcError, FormatError, StoreRefusedError
from dvidpc.formats.precomputed.info import MAX_INFO_SIZE
from dvidpc.sources.precomputed.location import INFO_KEY, resolve_key
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import abandon
from dvidpc.types import BlockCoord, Point

log = logging.getLogger(__name__)

KEPT_S: Final = 10.0
"""How long a finding is believed: buckets are asked no more often, whoever asks us."""
PATIENCE_S: Final = 2.0
"""How long a bucket may take: a balancer does not wait much longer for our answer."""


_MOST_READ: Final = 64 * 2**20
"""Bytes of a decoded chunk beyond which none is read: it would be dear, and not stay in the cache."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a volume was found."""

    problem: str | None = None
    """Why it cannot be read; None: it can."""
    damage: str | None = None
    """Why the block that was tried cannot be served, where that is no sign that others cannot; None: it can.

    A damaged chunk, or a key that the bucket refuses while it gives the `info`: every replica would find
    the same, and go on finding it. A server that is not ready for that serves nobody.
    """


@dataclass(slots=True)
class _Finding:
    health: Health = Health()
    expires: float = 0.0
    reading: "asyncio.Task[None] | None" = None


class HealthChecks:
    """Reads of volumes what tells whether they can be read.

    Args:
        volumes: Those of the configuration as it is now.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, volumes: Callable[[], Sequence[Volume]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._volumes = volumes
        self._findings: dict[str, tuple[Volume, _Finding]] = {}
        self._clock = clock

    async def check(self) -> dict[str, Health]:
        """How each volume is now, by its store's alias."""
        findings = self._current()
        found = await asyncio.gather(*(self._check(*pair) for pair in findings.values()))
        return dict(zip(findings, found, strict=True))

    def last(self) -> dict[str, Health]:
        """What `check` last found, without reading."""
        pairs = self._current().items()
        return {
            alias: finding.health if volume.problem is None else Health(volume.problem)
            for alias, (volume, finding) in pairs
        }

    async def close(self) -> None:
        """End reads under way."""
        await abandon(finding.reading for _, finding in self._findings.values() if finding.reading)

    def _current(self) -> dict[str, tuple[Volume, _Finding]]:
        """What was found of each volume there is now; nothing yet of one that is new."""
        before = self._findings
        self._findings = {}
        for volume in self._volumes():
            alias = volume.source.alias
            known = before.get(alias)
            self._findings[alias] = known if known and known[0] is volume else (volume, _Finding())
        return self._findings

    async def _check(self, volume: Volume, finding: _Finding) -> Health:
        if volume.problem is not None or volume.store is None:
            return Health(volume.problem)
        if finding.reading is None and self._clock() >= finding.expires:
            finding.reading = asyncio.ensure_future(self._read(volume, volume.store, finding))
        if finding.reading is not None:
            await asyncio.wait((finding.reading,), timeout=PATIENCE_S)
        if finding.reading is not None:
            finding.health = Health(f"{volume.store.url} does not answer within {PATIENCE_S:g} s")
        return finding.health

    async def _read(self, volume: Volume, store: ObjectStore, finding: _Finding) -> None:
        known = finding.health.damage
        try:
            finding.health = await _look(volume, store)
        except DvidpcError as error:
            finding.health = Health(str(error))
        except MemoryError:
            finding.health = Health("out of memory")
        finally:
            finding.reading = None
            finding.expires = self._clock() + KEPT_S
        if finding.health.damage not in {None, known}:
            log.warning("store %s: %s", volume.source.alias, finding.health.damage)


async def _look(volume: Volume, store: ObjectStore) -> Health:
    """How *volume* is.

    Raises:
        DvidpcError: It cannot be read.
    """
    key = resolve_key(volume.source.directory, INFO_KEY)
    if await store.get(key, max_size=MAX_INFO_SIZE) is None:
        return Health(f"{name_object(store.url, key)} is gone")
    coarsest = max(volume.instances, key=lambda instance: instance.scale_level)
    if _chunk_nbytes(coarsest) > _MOST_READ:
        return Health()
    try:
        await coarsest.grid.fetch(_middle(coarsest), coarsest.grid.default_compression)
    except (FormatError, StoreRefusedError) as error:
        return Health(damage=str(error))
    return Health()


def _chunk_nbytes(instance: Instance) -> int:
    """Of the largest chunk there can be, once it is decoded."""
    shape = instance.grid.chunk_shape
    return shape._replace(size=Point(*map(min, shape.size, instance.grid.grid.box.size))).nbytes


def _middle(instance: Instance) -> BlockCoord:
    ends = zip(instance.min_index, instance.max_index, strict=True)
    return BlockCoord(*((first + last) // 2 for first, last in ends))
