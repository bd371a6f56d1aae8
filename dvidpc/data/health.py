"""Probe whether each volume is readable, by reading its metadata and one block, or one list of annotations.

The block is the one in the middle of the coarsest scale. It is read through the caches, so the bucket gets a
request for it once in half an hour. A missing block counts as readable.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dvidpc.data.annotation import is_annotation
from dvidpc.data.image import ImageData
from dvidpc.data.scales import scales_of
from dvidpc.data.served_volume import Volume
from dvidpc.errors import DvidpcError, FormatError, StoreRefusedError
from dvidpc.storage.base import ObjectStore
from dvidpc.tasks import abandon, run_in_background
from dvidpc.types import BlockCoord, Point

log = logging.getLogger(__name__)

KEPT_S: Final = 10.0
"""How long a result is valid, so that health checks read a bucket at most this often."""
PATIENCE_S: Final = 2.0
"""How long to wait for a bucket; load balancers do not wait much longer for the answer."""


_MOST_READ: Final = 64 * 2**20
"""Largest decoded chunk, in bytes, that is read. A larger one would be slow and not stay in the cache."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe of a volume found."""

    problem: str | None = None
    """Why it cannot be read; None if it can."""
    damage: str | None = None
    """Why the probed block cannot be served although others probably can; None if it can.

    Examples are a damaged chunk, or an object that the bucket refuses while it serves the metadata. Every
    replica would find the same, so clients need not be sent elsewhere.
    """
    oddity: str | None = None
    """What an operator should know although everything can be read; see `ObjectStore.oddity`."""
    index: str | None = None
    """Why the label index cannot be used, as a whole or in part; None if it can, or there is none.

    The voxels are served all the same, and every replica would find the same.
    """


@dataclass(slots=True)
class _Finding:
    health: Health = Health()
    expires: float = 0.0
    reading: "asyncio.Task[None] | None" = None


class HealthChecks:
    """Probes the volumes on request, and remembers the results for a while.

    Args:
        volumes: Returns the volumes as they are configured now.
        clock: Seconds, monotonic.
        bucket_of: Returns the bucket below a store, past a disk cache that would answer while it is down.
    """

    def __init__(
        self,
        volumes: Callable[[], Sequence[Volume]],
        clock: Callable[[], float] = time.monotonic,
        bucket_of: Callable[[ObjectStore], ObjectStore] = lambda store: store,
    ) -> None:
        self._volumes = volumes
        self._bucket_of = bucket_of
        self._findings: dict[str, tuple[Volume, _Finding]] = {}
        self._clock = clock

    async def check(self) -> dict[str, Health]:
        """Probe each volume; return the findings by the alias of the store."""
        findings = self._current()
        found = await asyncio.gather(*(self._check(*pair) for pair in findings.values()))
        return dict(zip(findings, found, strict=True))

    def last(self) -> dict[str, Health]:
        """Return what `check` last found, without reading."""
        pairs = self._current().items()
        return {
            alias: finding.health if volume.problem is None else Health(volume.problem)
            for alias, (volume, finding) in pairs
        }

    async def close(self) -> None:
        """Cancel the probes in flight."""
        await abandon(finding.reading for _, finding in self._findings.values() if finding.reading)

    def _current(self) -> dict[str, tuple[Volume, _Finding]]:
        """Return the finding of each current volume; an empty one for a new volume."""
        before = self._findings
        self._findings = {}
        for volume in self._volumes():
            alias = volume.settings.alias
            known = before.get(alias)
            self._findings[alias] = known if known and known[0] is volume else (volume, _Finding())
        return self._findings

    async def _check(self, volume: Volume, finding: _Finding) -> Health:
        if volume.problem is not None or volume.store is None:
            return Health(volume.problem)
        if finding.reading is None and self._clock() >= finding.expires:
            probe = self._read(volume, volume.store, finding)
            finding.reading = run_in_background(f"probe of store {volume.settings.alias}", probe)
        if finding.reading is not None:
            await asyncio.wait((finding.reading,), timeout=PATIENCE_S)
        if finding.reading is not None:
            finding.health = Health(f"{volume.store.url} does not answer within {PATIENCE_S:g} s")
        index = None if volume.index_source is None else volume.index_source.problem
        return replace(finding.health, oddity=volume.store.oddity, index=index)

    async def _read(self, volume: Volume, store: ObjectStore, finding: _Finding) -> None:
        known = finding.health.damage
        try:
            finding.health = await _probe(volume, self._bucket_of(store))
        except DvidpcError as error:
            finding.health = Health(str(error))
        except Exception as error:  # `run_in_background` logs it
            finding.health = Health(f"unexpected {type(error).__name__}, a bug of dvidpc that the log shows")
            raise
        finally:
            finding.reading = None
            finding.expires = self._clock() + KEPT_S
        if finding.health.damage not in {None, known}:
            log.warning("store %s: %s", volume.settings.alias, finding.health.damage)


async def _probe(volume: Volume, bucket: ObjectStore) -> Health:
    """Read the metadata of *volume* from its *bucket*, and a block.

    Raises:
        DvidpcError: It cannot be read.
    """
    await volume.source_format.load(bucket, volume.settings)
    try:
        await _probe_block([scale for instance in volume.instances for scale in scales_of(instance.data)])
        for instance in filter(is_annotation, volume.instances):
            await instance.data.source.probe()
    except (FormatError, StoreRefusedError) as error:
        return Health(damage=str(error))
    return Health()


async def _probe_block(scales: Sequence[ImageData]) -> None:
    """Read the block in the middle of the coarsest scale, unless its chunk is too large."""
    if not scales:
        return
    coarsest = max(scales, key=lambda data: data.scale_level)
    if _chunk_nbytes(coarsest) <= _MOST_READ:
        await coarsest.grid.fetch(_middle(coarsest), coarsest.grid.default_payload)


def _chunk_nbytes(data: ImageData) -> int:
    """Return the bytes of the largest possible chunk, decoded."""
    shape = data.grid.chunk_shape
    return shape._replace(size=Point(*map(min, shape.size, data.grid.grid.box.size))).nbytes


def _middle(data: ImageData) -> BlockCoord:
    ends = zip(data.min_index, data.max_index, strict=True)
    return BlockCoord(*((first + last) // 2 for first, last in ends))
