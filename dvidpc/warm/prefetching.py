"""Run a prefetch: find what is meant, estimate it, read it, and report."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dvidpc.config import Config
from dvidpc.errors import ConfigError, DvidpcError, StoreError, StoreRefusedError
from dvidpc.formats.grid import Box
from dvidpc.log.quantities import describe_count, describe_size
from dvidpc.sources.base import StoredScale
from dvidpc.tasks import abandon, gather_or_cancel, run_in_background
from dvidpc.threads import ThreadPool
from dvidpc.types import ChunkCoord
from dvidpc.volume.resources import Resources, make_resources
from dvidpc.warm.backlog import Backlog
from dvidpc.warm.estimates import SAMPLES, Estimate, describe_estimates, explain_misfit
from dvidpc.warm.filling import Filler
from dvidpc.warm.finding_instances import FoundInstance, OpenVolume, VolumeOpener
from dvidpc.warm.morton_walk import spread, walk
from dvidpc.warm.outcome import Outcome
from dvidpc.warm.pace import Pace
from dvidpc.warm.prefetch_options import ScaleChoice
from dvidpc.warm.showing import Moment, Speed, showing_on
from dvidpc.warm.targets import Target, choose_scales, clip_box, scale_box

if TYPE_CHECKING:
    from dvidpc.cache.disk.disk_cache import DiskCache

INTERRUPTED: Final = 130
"""The exit code of a command that Ctrl-C or SIGTERM has ended."""
_WRITE_S: Final = 30.0
"""How long the disk may take to write what is left in the end."""
RESUME: Final = "run the same command again to go on; what is on disk is not read from the bucket again"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be read."""

    instances: Sequence[str]
    box: Box | None
    """In voxels of the finest scale; None: everything."""
    scales: ScaleChoice
    bytes_per_s: int | None
    """The most bytes a second that are read from buckets; None: no limit."""
    force: bool
    """Whether to go on if the disk cache cannot hold it all."""


async def prefetch(config: Config, environ: Mapping[str, str], wish: Wish, disk: "DiskCache") -> int:
    """Fill the disk cache; write progress to stderr and a summary to stdout, and return the exit code.

    Args:
        config: The volumes.
        environ: The environment, for credentials.
        wish: What to read.
        disk: Not opened yet.

    Raises:
        ConfigError: Something of *wish* does not exist or does not fit, or the disk cache cannot be used.
        FormatError: The metadata of a volume are damaged.
        StoreError: A bucket is down or refuses, or the disk cache takes no more.
    """
    await disk.open()
    try:
        if disk.trouble is not None:
            raise ConfigError(f"the disk cache cannot be used: {disk.trouble}")
        with ThreadPool(1) as pool:
            resources = make_resources(config.cache, config.limits, pool)
            try:
                return await _Prefetch(config, environ, wish, disk, resources).run()
            finally:
                resources.isolation.close()
    finally:
        await disk.close()


@dataclass(slots=True)
class _Prefetch:
    """One run of the command."""

    config: Config
    environ: Mapping[str, str]
    wish: Wish
    disk: "DiskCache"
    resources: Resources
    outcome: Outcome = field(default_factory=Outcome)
    total: int = 0
    """Chunks to look at."""
    what: str = ""
    """What is read now, for messages."""
    is_interrupted: bool = False

    async def run(self) -> int:
        """Read everything; return the exit code."""
        started = time.monotonic()
        opener = VolumeOpener(
            self.config, self.environ, self.disk.wrap, Pace(self.wish.bytes_per_s), self._note_read
        )
        work = asyncio.ensure_future(self._work(opener))
        try:
            with _on_signals(work, self):
                await work
        except asyncio.CancelledError:
            if not self.is_interrupted:
                raise
        finally:
            await opener.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_S):
                    await self.disk.flush()
            if self.total:
                self._report(opener.counts.requests, time.monotonic() - started)
        if self.is_interrupted:
            _warn(f"interrupted; {RESUME}")
            return INTERRUPTED
        return 1 if self.outcome.failed or self.outcome.oversize or self.disk.counts.dropped else 0

    async def _work(self, opener: VolumeOpener) -> None:
        pairs = await self._find(opener)
        backlog, fillers = Backlog(self.disk.flush), dict[str, Filler]()
        for volume, _ in pairs:
            filler = Filler(self.outcome, volume.probe, self._check, backlog, self.disk.largest)
            fillers.setdefault(volume.config.alias, filler)
        estimates = [await self._estimate(target, fillers[volume.config.alias]) for volume, target in pairs]
        misfit = (
            None if self.wish.force else explain_misfit(estimates, self.disk.max_bytes, self.disk.largest)
        )
        if misfit is not None:
            raise ConfigError(misfit)
        _say(f"{', '.join(self.wish.instances)}: {describe_estimates(estimates)}")
        self.total = sum(one.chunks for one in estimates)
        async with self._showing():
            for volume, target in pairs:
                self.what = target.name
                try:
                    await fillers[volume.config.alias].fill(target.copies, walk(target.cells))
                except StoreError as error:
                    raise StoreError(f"stopped: {error}; {RESUME}") from error

    async def _find(self, opener: VolumeOpener) -> list[tuple[OpenVolume, Target]]:
        """Return what is read, in order: instances as they were named, of each the coarsest scale first."""
        found: list[tuple[OpenVolume, Target]] = []
        known: list[tuple[str, StoredScale]] = []
        for name in dict.fromkeys(self.wish.instances):
            instance = await opener.find(name)
            _warn_of_problems(instance, self.wish.scales)
            for stored, target in self._targets_of(instance):
                place = (instance.volume.config.alias, stored)
                if place not in known:  # another instance may show the same chunks
                    known.append(place)
                    found.append((instance.volume, target))
        return found

    def _targets_of(self, instance: FoundInstance) -> list[tuple[StoredScale, Target]]:
        plan, store = instance.volume.plan, instance.volume.store
        box = clip_box(self.wish.box, plan, instance.name)
        found = []
        for scale in choose_scales(instance.scales, self.wish.scales, instance.name):
            stored = scale.scale.stored.of_channel(scale.channel.number)
            part = scale.scale.box
            if self.wish.box is not None:
                part = scale_box(box, plan.scales[0].resolution_nm, scale.scale.resolution_nm)
            copies = stored.open(store, self.resources.tools)
            found.append((stored, Target(instance.name, scale.level, copies, part)))
        return found

    async def _estimate(self, target: Target, filler: Filler) -> Estimate:
        """Look at the sizes of some chunks.

        Raises:
            StoreRefusedError: The bucket refuses all of them.
        """
        refusals: list[StoreRefusedError] = []

        async def size_of(cell: ChunkCoord) -> int | None:
            try:
                return await filler.read_one(target.copies, cell)
            except StoreRefusedError as error:
                refusals.append(error)
            except DvidpcError:  # reported when its turn comes
                pass
            return None

        sizes = await gather_or_cancel(size_of(cell) for cell in spread(target.cells, SAMPLES))
        known = [size for size in sizes if size is not None]
        if refusals and not known:
            raise refusals[0]
        return Estimate(target, target.cells.total, known)

    async def _check(self) -> None:
        """Check that the disk cache keeps what is read.

        Raises:
            StoreError: It takes no more, or is full of what was read.
        """
        if self.disk.trouble is not None:
            raise StoreError(f"the disk cache takes no more: {self.disk.trouble}")
        if self.outcome.kept_bytes > self.disk.max_bytes and not self.wish.force:
            raise StoreError(
                f"the disk cache of {describe_size(self.disk.max_bytes)} is full of what was read, and more "
                "would evict it again; take a smaller --box, coarser --scales or a larger [cache] disk, "
                "or --force"
            )

    @asynccontextmanager
    async def _showing(self) -> AsyncIterator[None]:
        """Show progress meanwhile."""
        showing = showing_on(sys.stderr)
        speed = Speed(self._moment())

        async def show() -> None:
            while True:
                await asyncio.sleep(showing.every_s)
                self.resources.expire()
                speed.note(self._moment())
                showing.show(self.what, speed, self.outcome.done, self.total)

        task = run_in_background("progress", show())
        try:
            yield
        finally:
            await abandon([task])
            showing.close()

    def _moment(self) -> Moment:
        return Moment(time.monotonic(), self.outcome.done, self.outcome.bucket_bytes)

    def _note_read(self, nbytes: int) -> None:
        self.outcome.bucket_bytes += nbytes

    def _report(self, requests: int, seconds: float) -> None:
        """Write what was done, and what failed."""
        outcome, dropped = self.outcome, self.disk.counts.dropped
        sys.stdout.write(f"{outcome.summary(self.total, requests, seconds)}\n")
        sys.stdout.flush()
        for reason in outcome.named:
            _say(f"failed: {reason}")
        if outcome.failed:
            _warn(f"{describe_count(outcome.failed, 'chunk')} could not be read; {RESUME}")
        if outcome.oversize:
            limit = describe_size(self.disk.largest)
            _warn(f"{describe_count(outcome.oversize, 'chunk')} above {limit} are not kept by the disk cache")
        if dropped:
            _warn(f"{describe_count(dropped, 'value')} were not written to the disk cache; {RESUME}")


@contextmanager
def _on_signals(work: "asyncio.Task[None]", run: _Prefetch) -> Iterator[None]:
    """Cancel *work* on Ctrl-C and SIGTERM."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        run.is_interrupted = True
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _warn_of_problems(instance: FoundInstance, choice: ScaleChoice) -> None:
    plan = instance.volume.plan
    for problem in plan.problems:
        if problem.level - plan.first_level in choice:
            _warn(f"{instance.name}: scale {problem.level} is not served: {problem.reason}")


def _warn(text: str) -> None:
    _say(f"dvidpc: {text}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
