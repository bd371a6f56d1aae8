"""Whether every volume can be read right now: an object of it is, when somebody asks."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.errors import DvidpcError
from dvidpc.formats.info import MAX_INFO_SIZE
from dvidpc.storage.answers import name_object
from dvidpc.storage.base import ObjectStore
from dvidpc.volume.place import INFO_KEY, resolve_key
from dvidpc.volume.tasks import abandon
from dvidpc.volume.volumes import Volume

KEPT_S: Final = 10.0
"""How long a finding is believed: buckets are asked no more often, whoever asks us."""
PATIENCE_S: Final = 2.0
"""How long a bucket may take: a balancer does not wait much longer for our answer."""


@dataclass(slots=True)
class _Finding:
    problem: str | None = None
    expires: float = 0.0
    reading: "asyncio.Task[None] | None" = None


class HealthChecks:
    """Reads the `info` of volumes.

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

    async def check(self) -> dict[str, str | None]:
        """Why each volume cannot be read now, by its store's alias; None where it can."""
        findings = self._current()
        problems = await asyncio.gather(*(self._check(*pair) for pair in findings.values()))
        return dict(zip(findings, problems, strict=True))

    def last(self) -> dict[str, str | None]:
        """What `check` last found, without reading."""
        pairs = self._current().items()
        return {alias: volume.problem or finding.problem for alias, (volume, finding) in pairs}

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

    async def _check(self, volume: Volume, finding: _Finding) -> str | None:
        if volume.problem is not None or volume.store is None:
            return volume.problem
        if finding.reading is None and self._clock() >= finding.expires:
            key = resolve_key(volume.source.directory, INFO_KEY)
            finding.reading = asyncio.ensure_future(self._read(volume.store, key, finding))
        if finding.reading is not None:
            await asyncio.wait((finding.reading,), timeout=PATIENCE_S)
        if finding.reading is not None:
            finding.problem = f"{volume.store.url} does not answer within {PATIENCE_S:g} s"
        return finding.problem

    async def _read(self, store: ObjectStore, key: str, finding: _Finding) -> None:
        try:
            blob = await store.get(key, max_size=MAX_INFO_SIZE)
        except DvidpcError as error:
            finding.problem = str(error)
        else:
            finding.problem = None if blob is not None else f"{name_object(store.url, key)} is gone"
        finally:
            finding.reading = None
            finding.expires = self._clock() + KEPT_S
