"""Opens every volume of a configuration, says how it is served and what is wrong with it."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from dvidpc.check.fixes import Mending
from dvidpc.check.report import CopyCount, VolumeReport
from dvidpc.config import Config, StoreConfig
from dvidpc.data.volume_opening import Workshop, load_survey, make_decoders
from dvidpc.errors import DvidpcError, FormatError
from dvidpc.run.app import make_workshop
from dvidpc.sources.buckets import access_of, source_of, upstream_limits_of
from dvidpc.sources.precomputed.census import Census, take_census
from dvidpc.sources.precomputed.location import find_info
from dvidpc.sources.precomputed.planning import ScalePlan, Survey, times
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.types import ChunkCoord, Finding
from dvidpc.volume.decoding import ChunkDecoder

_SAMPLES = 9
"""Chunks of each copy that are looked for along its diagonal."""

Progress = Callable[[str, int, int], None]
"""Told what is looked at, how much of it is done, and how much there is."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For where nobody watches."""


async def check(
    config: Config, environ: Mapping[str, str], *, deep: bool = False, progress: Progress = no_progress
) -> AsyncIterator[VolumeReport]:
    """Report on the volumes of a configuration, one after the other, as they are opened.

    Args:
        config: Which volumes.
        environ: What `os.environ` holds.
        deep: Whether to count the stored chunks of every scale, not only to look for some.
        progress: Told as it goes on.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        workshop = make_workshop(config, pool)
        try:
            for store in config.stores:
                if store.instance is not None:
                    one = _Check(store, config, environ, workshop, progress)
                    yield await one.run(deep=deep)
        finally:
            workshop.isolation.close()


@dataclass
class _Check:
    """The check of one volume."""

    store: StoreConfig
    config: Config
    environ: Mapping[str, str]
    workshop: Workshop
    progress: Progress
    lines: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    counts: list[CopyCount] = field(default_factory=list)

    async def run(self, *, deep: bool) -> VolumeReport:
        """All that is found; what keeps it from going on is a problem."""
        mending = Mending(self.store)
        try:
            await self._run(mending, deep=deep)
        except DvidpcError as error:
            self.problems.append(Finding(str(error), mending.of_error(error)))
        name = f"{self.store.instance} ({self.store.ref.text})"
        return VolumeReport(
            name, tuple(self.lines), tuple(self.warnings), tuple(self.problems), tuple(self.counts)
        )

    async def _run(self, mending: Mending, *, deep: bool) -> None:
        inspection = await inspect_bucket(access_of(self.store), self.environ)
        async with _opened(self.store, self.config, self.environ) as bucket:
            self.lines.append(inspection.line())
            self.warnings += inspection.warnings()
            survey = await self._survey(bucket, mending)
            if survey is None:
                return
            self.warnings += [Finding(text, mending.of_pyramid()) for text in survey.warnings]
            for refused in survey.problems:
                text = f"scale {refused.level} is not served: {refused.reason}"
                self.problems.append(Finding(text, mending.of_scale(refused.reason)))
            for plan in survey.plans:
                self.lines.append(describe_scale(self.store.instance or "", survey, plan))
                await self._sample_scale(bucket, survey, plan, mending, deep=deep)
            if deep:
                await self._count_scales(bucket, survey, mending)

    async def _survey(self, bucket: ObjectStore, mending: Mending) -> Survey | None:
        source = source_of(self.store)
        try:
            await find_info(bucket, source.directory)
        except FormatError as error:
            self.problems.append(Finding(str(error), mending.of_missing_info()))
            return None
        try:
            return (await load_survey(source, bucket))[1]
        except FormatError as error:
            mend = (
                mending.of_scale(str(error)) if "no scale can be served" in str(error) else mending.of_info()
            )
            self.problems.append(Finding(str(error), mend))
            return None

    async def _sample_scale(
        self, bucket: ObjectStore, survey: Survey, plan: ScalePlan, mending: Mending, *, deep: bool
    ) -> None:
        level = plan.scale.level
        self.progress(f"{self.store.instance} scale {level}: decoding samples", 0, 1)
        for decoder in make_decoders(bucket, survey.info, plan, self.workshop):
            found, problem = await _sample(decoder)
            if problem is not None:
                mend = mending.of_damage() if isinstance(problem, FormatError) else mending.of_error(problem)
                self.problems.append(Finding(f"scale {level}: {problem}", mend))
            elif not found and not deep:
                text = (
                    f"scale {level}: none of {_SAMPLES} chunks of "
                    f"{times(decoder.grid.chunk_size)} looked for is stored; is the scale empty?"
                )
                self.warnings.append(Finding(text, mending.of_absence()))

    async def _count_scales(self, bucket: ObjectStore, survey: Survey, mending: Mending) -> None:
        access, limits = access_of(self.store), upstream_limits_of(self.config.limits)
        lister = await open_lister(access, limits, environ=self.environ)
        try:
            for plan in survey.plans:
                watch = partial(
                    self.progress, f"{self.store.instance} scale {plan.scale.level}: counting chunks"
                )
                try:
                    censuses = await take_census(CoalescingStore(bucket), lister, plan, watch)
                except DvidpcError as error:
                    text = f"scale {plan.scale.level} cannot be counted: {error}"
                    self.problems.append(Finding(text, mending.of_error(error)))
                else:
                    self._judge(plan, censuses, mending)
        finally:
            if lister is not None:
                await lister.close()

    def _judge(self, plan: ScalePlan, censuses: list[Census], mending: Mending) -> None:
        level = plan.scale.level
        is_whole = any(census.stored >= census.expected for census in censuses)
        is_empty = not any(census.stored for census in censuses)
        for grid, census in zip(plan.grids, censuses, strict=True):
            size = times(grid.chunk_size)
            self.counts.append(CopyCount(level, grid.chunk_size, census.expected, census.stored))
            absent = census.expected - census.stored
            self.lines.append(
                f"scale {level}: {census.stored} of {census.expected} chunks of {size} are stored"
            )
            if is_empty:
                text = f"scale {level}: none of its {census.expected} chunks of {size} is stored"
                self.problems.append(Finding(text, mending.of_absence()))
            elif absent > 0 and not is_whole:
                first = f", the first is {census.first_absent}" if census.first_absent else ""
                text = (
                    f"scale {level}: {absent} of {census.expected} chunks of {size} are absent{first}; "
                    "they are served as empty"
                )
                self.warnings.append(Finding(text, mending.of_absence()))
            if census.foreign:
                text = (
                    f"scale {level}: {census.foreign} chunks lie there that its info does not know, "
                    f"such as {census.first_foreign}"
                )
                self.warnings.append(Finding(text, mending.of_foreign()))
            self.problems += [
                Finding(f"scale {level}: {what}", mending.of_damage()) for what in census.damage
            ]
            if more := census.damaged - len(census.damage):
                text = f"scale {level}: {more} more objects are damaged"
                self.problems.append(Finding(text, mending.of_damage()))


@asynccontextmanager
async def _opened(
    store: StoreConfig, config: Config, environ: Mapping[str, str]
) -> AsyncIterator[ObjectStore]:
    bucket = await open_store(access_of(store), upstream_limits_of(config.limits), environ=environ)
    try:
        yield bucket
    finally:
        await bucket.close()


def describe_scale(instance: str, survey: Survey, plan: ScalePlan) -> str:
    """One line that says what a scale is and how it is served."""
    scale, info = plan.scale, survey.info
    level = f"_{scale.level}" if scale.level else ""
    names = [f"{instance}{shown.suffix}{level}" for shown in survey.shown]
    kind = survey.shown[0].voxel_type.type_name
    sharded = f"sharded ({scale.sharding.hash})" if scale.sharding else "unsharded"
    hidden = ", hidden" if scale.hidden else ""
    copies = " or ".join(times(grid.chunk_size) for grid in plan.grids)
    offset = ",".join(map(str, scale.offset))
    resolution = " x ".join(f"{length:g}" for length in scale.resolution_nm)
    return (
        f"scale {scale.level}: {times(scale.size)} voxels of {resolution} nm at {offset}, "
        f"{info.num_channels} x {info.data_type} {scale.encoding}, {sharded}, chunks of {copies}{hidden} -> "
        f"{', '.join(names)} ({kind}): {plan.service} as blocks of {times(plan.block_size)}"
    )


async def _sample(decoder: ChunkDecoder) -> tuple[int, DvidpcError | None]:
    """How many chunks along the diagonal are stored, and what is wrong with the first that is damaged."""
    cells = decoder.grid.cells
    last = _SAMPLES - 1
    found = 0
    for step in range(_SAMPLES):
        cell = ChunkCoord(*((n - 1) * step // last for n in cells))
        try:
            data = await decoder.read(cell)
            if data is not None:
                found += 1
                decoder.decode(cell, data)
        except DvidpcError as error:
            return found, error
    return found, None
