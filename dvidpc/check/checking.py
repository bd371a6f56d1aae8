"""Open every volume of a configuration; report how it is served, and its problems."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from dvidpc.check.companions import check_companions
from dvidpc.check.fixes import Fixes
from dvidpc.check.report import CopyCount, VolumeReport
from dvidpc.config import Config, StoreConfig
from dvidpc.data.image import find_voxel_type
from dvidpc.errors import DvidpcError, FormatError
from dvidpc.sources.base import ChunkSource
from dvidpc.sources.buckets import access_of, settings_of, upstream_limits_of
from dvidpc.sources.counting import ChunkCount
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import InstancePlan, ScalePlan, VolumePlan, times
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.shared import Shared
from dvidpc.types import ChunkCoord, Finding
from dvidpc.volume.resources import Resources, make_resources

_SAMPLES = 9
"""Number of chunks of each copy that are read and decoded, along the diagonal of the scale."""

Progress = Callable[[str, int, int], None]
"""Called with the name of the current step, the amount that is done, and the total amount."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Ignore the progress."""


async def check(
    config: Config, environ: Mapping[str, str], *, deep: bool = False, progress: Progress = no_progress
) -> AsyncIterator[VolumeReport]:
    """Yield a report on each volume of a configuration, one after the other.

    Args:
        config: The volumes to check.
        environ: The environment, for credentials.
        deep: Whether to count the stored chunks of every scale, not only sample a few.
        progress: Called as the check proceeds.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        resources = make_resources(config.cache, config.limits, pool)
        try:
            for store in config.stores:
                if store.instance is not None:
                    yield await _Check(store, config, environ, resources, progress).run(deep=deep)
        finally:
            resources.isolation.close()


@dataclass
class _Check:
    """The check of one volume."""

    store: StoreConfig
    config: Config
    environ: Mapping[str, str]
    resources: Resources
    progress: Progress
    lines: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    counts: list[CopyCount] = field(default_factory=list)
    shared: Shared = field(default_factory=Shared)

    async def run(self, *, deep: bool) -> VolumeReport:
        """Return all findings. An error that ends the check is one of the problems."""
        fixes = Fixes(self.store)
        try:
            await self._run(fixes, deep=deep)
        except DvidpcError as error:
            self.problems.append(Finding(str(error), fixes.of_error(error)))
        name = f"{self.store.instance} ({self.store.ref.text})"
        return VolumeReport(
            name, tuple(self.lines), tuple(self.warnings), tuple(self.problems), tuple(self.counts)
        )

    async def _run(self, fixes: Fixes, *, deep: bool) -> None:
        inspection = await inspect_bucket(access_of(self.store), self.environ, self.shared)
        async with _opened(self.store, self.config, self.environ, self.shared) as bucket:
            self.lines.append(inspection.line())
            self.warnings += inspection.warnings()
            plan = await self._plan(bucket, fixes)
            if plan is None:
                return
            self.warnings += [Finding(text, fixes.of_pyramid()) for text in plan.warnings]
            for refused in plan.problems:
                text = f"scale {refused.level} is not served: {refused.reason}"
                self.problems.append(Finding(text, fixes.of_scale(refused.reason)))
            for scale in plan.scales:
                self.lines.append(describe_scale(plan, scale))
                await self._sample_scale(bucket, scale, fixes, deep=deep)
            if plan.adds_level:
                self.lines.append(
                    f"{plan.name} has one level; another is made from it, which neuroglancer needs"
                )
            await self._check_companions(bucket, plan, fixes)
            if deep:
                await self._count_scales(bucket, plan, fixes)
            if bucket.oddity is not None:
                self.warnings.append(Finding(bucket.oddity, fixes.of_oddity()))

    async def _plan(self, bucket: ObjectStore, fixes: Fixes) -> VolumePlan | None:
        """Return the plan that the server would make; None, with a problem noted, if there is none."""
        settings = settings_of(self.store)
        source_format = ENGINES[settings.engine]
        try:
            metadata = await source_format.load(bucket, settings.directory)
        except FormatError as error:
            self.problems.append(Finding(str(error), fixes.of_missing_info()))
            return None
        try:
            return source_format.plan(metadata, settings)
        except FormatError as error:
            is_scale = "no scale can be served" in str(error)
            fix = fixes.of_scale(str(error)) if is_scale else fixes.of_info(str(error))
            self.problems.append(Finding(str(error), fix))
            return None

    async def _check_companions(self, bucket: ObjectStore, plan: VolumePlan, fixes: Fixes) -> None:
        found = await check_companions(plan, bucket, self.resources, fixes)
        self.lines += found.lines
        self.warnings += found.warnings
        self.problems += found.problems

    async def _sample_scale(self, bucket: ObjectStore, scale: ScalePlan, fixes: Fixes, *, deep: bool) -> None:
        self.progress(f"{self.store.instance} scale {scale.level}: decoding samples", 0, 1)
        for source in scale.stored.open(bucket, self.resources.tools):
            found, problem = await _sample(source)
            if problem is not None:
                fix = fixes.of_damage() if isinstance(problem, FormatError) else fixes.of_error(problem)
                self.problems.append(Finding(f"scale {scale.level}: {problem}", fix))
            elif not deep and found < _SAMPLES:
                self._note_absent_samples(scale.level, times(source.grid.chunk_size), found, fixes)

    def _note_absent_samples(self, level: int, size: str, found: int, fixes: Fixes) -> None:
        if found:
            text = f"{found} of {_SAMPLES} sampled chunks of {size} are stored; --deep counts all chunks"
            self.lines.append(f"scale {level}: {text}")
        else:
            text = f"none of {_SAMPLES} sampled chunks of {size} is stored; is the scale empty?"
            self.warnings.append(Finding(f"scale {level}: {text}", fixes.of_absence()))

    async def _count_scales(self, bucket: ObjectStore, plan: VolumePlan, fixes: Fixes) -> None:
        access, limits = access_of(self.store), upstream_limits_of(self.config.limits)
        lister = await open_lister(access, limits, environ=self.environ, shared=self.shared)
        try:
            for scale in plan.scales:
                watch = partial(self.progress, f"{self.store.instance} scale {scale.level}: counting chunks")
                try:
                    counts = await scale.stored.count(CoalescingStore(bucket), lister, watch)
                except DvidpcError as error:
                    text = f"scale {scale.level} cannot be counted: {error}"
                    self.problems.append(Finding(text, fixes.of_error(error)))
                else:
                    self._judge(scale.level, counts, fixes)
        finally:
            if lister is not None:
                await lister.close()

    def _judge(self, level: int, counts: list[ChunkCount], fixes: Fixes) -> None:
        is_whole = any(count.stored >= count.expected for count in counts)
        is_empty = not any(count.stored for count in counts)
        for count in counts:
            size = times(count.chunk_size)
            self.counts.append(CopyCount(level, count.chunk_size, count.expected, count.stored))
            stored = f"scale {level}: {count.stored} of {count.expected} chunks of {size} are stored"
            if is_empty:
                text = f"scale {level}: none of its {count.expected} chunks of {size} is stored"
                self.problems.append(Finding(text, fixes.of_absence()))
            elif count.stored < count.expected and not is_whole:
                first = f"; the first absent chunk is {count.first_absent}" if count.first_absent else ""
                text = f"{stored}{first}; absent chunks are served as empty"
                self.warnings.append(Finding(text, fixes.of_absence()))
            else:
                self.lines.append(stored)
            self._note_foreign_and_damaged(level, count, fixes)

    def _note_foreign_and_damaged(self, level: int, count: ChunkCount, fixes: Fixes) -> None:
        if count.foreign:
            text = (
                f"scale {level}: {count.foreign} stored chunks do not belong to the scale that the info "
                f"describes, for example {count.first_foreign}"
            )
            self.warnings.append(Finding(text, fixes.of_foreign()))
        self.problems += [Finding(f"scale {level}: {what}", fixes.of_damage()) for what in count.damage]
        if more := count.damaged - len(count.damage):
            text = f"scale {level}: {more} more objects are damaged"
            self.problems.append(Finding(text, fixes.of_damage()))


@asynccontextmanager
async def _opened(
    store: StoreConfig, config: Config, environ: Mapping[str, str], shared: Shared
) -> AsyncIterator[ObjectStore]:
    limits = upstream_limits_of(config.limits)
    bucket = await open_store(access_of(store), limits, environ=environ, shared=shared)
    try:
        yield bucket
    finally:
        await bucket.close()


def describe_scale(plan: VolumePlan, scale: ScalePlan) -> str:
    """Return one line that describes a scale and how it is served."""
    names: dict[str, list[str]] = {}
    for instance in plan.instances_of(scale):
        names.setdefault(_type_name(instance), []).append(instance.name)
    shown = ", ".join(f"{', '.join(of_type)} ({type_name})" for type_name, of_type in names.items())
    return (
        f"scale {scale.level}: {scale.stored.description} -> {shown}: "
        f"{scale.service} as blocks of {times(scale.block_size)}"
    )


def _type_name(instance: InstancePlan) -> str:
    """Return the name of DVID's type for an instance; the type of its values if DVID has none."""
    if instance.label_type is not None:
        return instance.label_type.value
    channel = instance.channel
    voxel_type = find_voxel_type(channel.data_type.value, channel.num_values)
    return voxel_type.data_type.name if voxel_type else channel.data_type.value


async def _sample(source: ChunkSource) -> tuple[int, DvidpcError | None]:
    """Return how many samples are stored, and the error of the first that cannot be read or decoded."""
    last = _SAMPLES - 1
    found = 0
    for step in range(_SAMPLES):
        cell = ChunkCoord(*((n - 1) * step // last for n in source.grid.cells))
        try:
            data = await source.read(cell)
            if data is not None:
                found += 1
                source.decode(cell, data)
        except DvidpcError as error:
            return found, error
    return found, None
