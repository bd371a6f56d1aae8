"""Open every volume of a configuration; report how it is served, and its problems."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from dvidpc.check.collections import CollectionCheck
from dvidpc.check.companions import check_companions
from dvidpc.check.counts import Judged, describe_count, is_empty, judge_counts
from dvidpc.check.fixes import Fixes
from dvidpc.check.index_samples import IndexCheck
from dvidpc.check.missing_chunks import Absence
from dvidpc.check.neighbours import find_neighbours, opened
from dvidpc.check.report import CopyCount, Findings, VolumeReport
from dvidpc.check.samples import Samples, sample
from dvidpc.check.scale_lines import describe_scale
from dvidpc.check.windows import propose_window_line
from dvidpc.config import Config, StoreConfig
from dvidpc.errors import DvidpcError, FormatError, NoMetadataError, StoreError, StoreRefusedError
from dvidpc.sources.buckets import access_of, settings_of
from dvidpc.sources.counting import ChunkCount, Survey
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.framing_plan import frame_plan
from dvidpc.sources.plan import Metadata, VolumePlan
from dvidpc.sources.scale_plan import ScalePlan, times
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.shared import Shared
from dvidpc.types import Finding
from dvidpc.volume.resources import Resources, make_resources

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
    shared: Shared = field(default_factory=Shared)
    lines: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    counts: list[CopyCount] = field(default_factory=list)
    denied: set[int] = field(default_factory=set)
    """Scales of which a sample was refused."""

    async def run(self, *, deep: bool) -> VolumeReport:
        """Return all findings. An error that ends the check is one of the problems."""
        fixes = Fixes(self.store)
        try:
            async with opened(self.store, self.config, self.environ, self.shared) as (bucket, lister):
                await self._run(bucket, lister, fixes, deep=deep)
        except DvidpcError as error:
            self.problems.append(Finding(str(error), fixes.of_error(error)))
        name = f"{self.store.instance} ({self.store.ref.text})"
        return VolumeReport(
            name, tuple(self.lines), tuple(self.warnings), tuple(self.problems), tuple(self.counts)
        )

    async def _run(self, bucket: ObjectStore, lister: Lister | None, fixes: Fixes, *, deep: bool) -> None:
        metadata = None
        try:
            metadata = await ENGINES[self.store.engine].load(bucket, settings_of(self.store))
        except FormatError as error:
            self.problems.append(await self._explain_no_metadata(bucket, lister, error, fixes))
        finally:
            await self._note_rights(can_read=metadata is not None)
        plan = None if metadata is None else self._plan(metadata, fixes)
        if metadata is None or plan is None:
            return
        if plan.collection is not None:
            await self._check_collection(bucket, lister, plan, fixes, deep=deep)
        else:
            await self._check_scales(bucket, lister, plan, fixes, deep=deep)
            index = IndexCheck(self.store, self.config.limits, self.environ, self.shared, self.resources)
            self._take(await index.run(bucket, metadata, plan, fixes))
        if bucket.oddity is not None:
            self.warnings.append(Finding(bucket.oddity, fixes.of_oddity()))

    async def _check_scales(
        self, bucket: ObjectStore, lister: Lister | None, plan: VolumePlan, fixes: Fixes, *, deep: bool
    ) -> None:
        self._note_plan(plan, fixes)
        samples = {scale.level: await self._sample(bucket, plan, scale) for scale in plan.scales}
        absence = Absence(bucket, lister, fixes)
        for scale in plan.scales:
            await self._note_damaged_samples(scale, samples[scale.level], absence)
        if plan.adds_level:
            self.lines.append(f"{plan.name} has one level; another is made from it, which neuroglancer needs")
        self._take(await check_companions(plan, bucket, self.resources, fixes))
        self.lines += await propose_window_line(plan, bucket, self.resources, self.store.alias)
        if deep:
            await self._count_scales(bucket, lister, plan, absence)
        else:
            await self._note_absent_samples(plan, samples, absence)

    async def _note_rights(self, *, can_read: bool) -> None:
        """Report what the credentials may do; a failure to find out is no problem of the volume."""
        access = access_of(self.store)
        try:
            rights = await inspect_bucket(replace(access, ref=self.store.ref), self.environ, self.shared)
        except StoreError as error:
            self.lines.append(f"rights are not known: {error}")
        else:
            self.lines.append(rights.line(can_read=can_read))
            self.warnings += rights.warnings(can_read=can_read, missing_status=access.missing_status)

    async def _explain_no_metadata(
        self, bucket: ObjectStore, lister: Lister | None, error: FormatError, fixes: Fixes
    ) -> Finding:
        """Return the problem that a volume does not exist, with what is there instead."""
        if isinstance(error, NoMetadataError) and error.engine is not None:
            return Finding(str(error), fixes.of_engine(error.engine))
        engine, directory = ENGINES[self.store.engine], self.store.ref.directory
        try:
            nearby = await engine.find_nearby(bucket, lister, directory)
        except StoreError:
            nearby = None
        if nearby is None:
            return Finding(str(error), fixes.of_missing_info())
        return Finding(f"{error}; {nearby.text}", fixes.of_missing_info(nearby.directory))

    def _plan(self, metadata: Metadata, fixes: Fixes) -> VolumePlan | None:
        """Return the plan that the server would make; None, with a problem noted, if there is none."""
        try:
            plan = ENGINES[self.store.engine].plan(metadata, settings_of(self.store))
        except FormatError as error:
            is_scale = "no scale can be served" in str(error)
            fix = fixes.of_scale(str(error)) if is_scale else fixes.of_info(str(error))
            self.problems.append(Finding(str(error), fix))
            return None
        return frame_plan(plan, settings_of(self.store), ()) if plan.collection is None else plan

    def _take(self, found: Findings) -> None:
        self.lines += found.lines
        self.warnings += found.warnings
        self.problems += found.problems

    async def _check_collection(
        self, bucket: ObjectStore, lister: Lister | None, plan: VolumePlan, fixes: Fixes, *, deep: bool
    ) -> None:
        neighbours = await find_neighbours(self.config, self.store, self.environ, self.shared)
        try:
            framed = frame_plan(plan, settings_of(self.store), neighbours)
        except StoreError as error:
            self.problems.append(Finding(str(error), fixes.of_key("voxel_size", "[8, 8, 8]")))
            return
        check = CollectionCheck(framed, bucket, lister, self.resources, fixes, self.progress)
        self._take(await check.run(deep=deep))

    def _note_plan(self, plan: VolumePlan, fixes: Fixes) -> None:
        for text in plan.pyramid_warnings:
            fix = fixes.of_warning(text, is_finest_first=plan.is_finest_first)
            self.warnings.append(Finding(text, fix))
        self.warnings += [Finding(text, fixes.of_companion_key(text)) for text in plan.companion_warnings]
        self.warnings += [Finding(text, "remove them") for text in plan.annotation_warnings]
        for refused in plan.problems:
            text = f"scale {refused.level} is not served: {refused.reason}"
            self.problems.append(Finding(text, fixes.of_scale(refused.reason)))
        for level in sorted(self.store.skip_scales):
            self.lines.append(f"scale {level} is left out by skip_scales")

    async def _sample(self, bucket: ObjectStore, plan: VolumePlan, scale: ScalePlan) -> list[Samples]:
        self.lines.append(describe_scale(plan, scale))
        self.progress(f"{self.store.instance} scale {scale.level}: decoding samples", 0, 1)
        return [await sample(source) for source in scale.stored.open(bucket, self.resources.tools)]

    async def _note_damaged_samples(self, scale: ScalePlan, copies: list[Samples], absence: Absence) -> None:
        for problem in (copy.problem for copy in copies):
            if isinstance(problem, StoreRefusedError):
                self.denied.add(scale.level)
                self.problems.append(await absence.explain_refusal(scale.level, scale.stored, problem))
            elif problem is not None:
                fixes = absence.fixes
                fix = fixes.of_damage() if isinstance(problem, FormatError) else fixes.of_error(problem)
                self.problems.append(Finding(f"scale {scale.level}: {problem}", fix))

    async def _note_absent_samples(
        self, plan: VolumePlan, samples: Mapping[int, list[Samples]], absence: Absence
    ) -> None:
        whole = {
            level: copies for level, copies in samples.items() if not any(copy.problem for copy in copies)
        }
        surveys: dict[int, Survey] = {}
        for scale in plan.scales:
            for copy in (copies := whole.get(scale.level, [])):
                if copy.stored < copy.looked_at and any(other.stored for other in copies):
                    found = (
                        f"{copy.stored} of {copy.looked_at} sampled chunks of {copy.chunk_size} are stored"
                    )
                    self.lines.append(f"scale {scale.level}: {found}; --deep counts all chunks")
            if copies and not any(copy.stored for copy in copies):
                surveys[scale.level] = await absence.survey(scale.stored)
        skip = self._skip(plan, surveys)
        for level, survey in surveys.items():
            first = whole[level][0]
            what = f"none of {first.looked_at} sampled chunks of {first.chunk_size} is stored"
            judged = await absence.explain(level, survey, what, counted=False, skip=skip)
            self._add(judged)
            if not judged:
                self.lines.append(f"scale {level}: {what}, but others are; --deep counts all chunks")

    async def _count_scales(
        self, bucket: ObjectStore, lister: Lister | None, plan: VolumePlan, absence: Absence
    ) -> None:
        counted: dict[int, list[ChunkCount]] = {}
        for scale in plan.scales:
            watch = partial(self.progress, f"{self.store.instance} scale {scale.level}: counting chunks")
            try:
                counted[scale.level] = await scale.stored.count(CoalescingStore(bucket), lister, watch)
            except DvidpcError as error:
                if isinstance(error, StoreRefusedError) and scale.level in self.denied:
                    continue  # the samples were refused too
                text = f"scale {scale.level} cannot be counted: {error}"
                self.problems.append(Finding(text, absence.fixes.of_error(error)))
        surveys: dict[int, Survey] = {}
        for scale in plan.scales:
            counts = counted.get(scale.level, [])
            self._note_counts(scale.level, counts)
            self._add(judge_counts(scale.level, counts, absence.fixes))
            if counts and is_empty(counts):
                surveys[scale.level] = await absence.survey(scale.stored)
        skip = self._skip(plan, surveys)
        for level, survey in surveys.items():
            first = counted[level][0]
            what = f"none of its {first.expected} chunks of {times(first.chunk_size)} is stored"
            is_certain = first.fill is None  # arrays are written without the chunks of their fill value
            self._add(await absence.explain(level, survey, what, counted=is_certain, skip=skip))

    def _note_counts(self, level: int, counts: list[ChunkCount]) -> None:
        is_whole = any(count.stored >= count.expected for count in counts)
        for count in counts:
            self.counts.append(CopyCount(level, count.chunk_size, count.expected, count.stored))
            if is_whole or (count.fill is not None and count.stored):
                self.lines.append(describe_count(level, count))
            if count.odd:
                names = f"names that are never read ({count.odd}), such as {count.first_odd}"
                self.lines.append(f"scale {level}: not counted: objects with {names}")

    def _add(self, judged: Iterable[Judged]) -> None:
        for finding, is_problem in judged:
            (self.problems if is_problem else self.warnings).append(finding)

    def _skip(self, plan: VolumePlan, surveys: Mapping[int, Survey]) -> list[int]:
        """Return the value of `skip_scales` that leaves out empty scales; empty if no other would be left."""
        empty = {level for level, survey in surveys.items() if survey.is_empty}
        is_any_left = any(scale.level not in empty for scale in plan.scales)
        return sorted(empty | self.store.skip_scales) if is_any_left else []
