"""`dvidpc check`: opens every volume of a configuration, says how it is served and what is wrong with it."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from dvidpc.app import access_of, make_workshop, source_of, upstream_limits_of
from dvidpc.config import Config, StoreConfig
from dvidpc.errors import DvidpcError
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.opening import open_store
from dvidpc.types import ChunkCoord
from dvidpc.volume.decoding import ChunkDecoder
from dvidpc.volume.opening import Workshop, load_survey, make_decoders
from dvidpc.volume.survey import ScalePlan, Survey, times

_SAMPLES = 9
"""Chunks of each copy that are looked for along its diagonal."""


@dataclass(frozen=True, slots=True)
class VolumeReport:
    """What was found of one volume; each line stands alone."""

    name: str
    lines: tuple[str, ...]
    """What is served, and how."""
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    """What keeps data from being served; none: all is well."""

    def text(self) -> str:
        """The report for a person."""
        kinds = (("ok", self.lines), ("warning", self.warnings), ("problem", self.problems))
        said = [f"  {mark:8}{line}\n" for mark, lines in kinds for line in lines]
        return "".join([f"{self.name}\n", *said])

    def json_line(self) -> str:
        """The report for a program: an object on a line."""
        return f"{json.dumps(asdict(self))}\n"


async def check(config: Config, environ: Mapping[str, str]) -> AsyncIterator[VolumeReport]:
    """Report on the volumes of a configuration, one after the other, as they are opened."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        workshop = make_workshop(config, pool)
        try:
            for store in config.stores:
                if store.instance is not None:
                    yield await _check_volume(store, config, environ, workshop)
        finally:
            workshop.isolation.close()


async def _check_volume(
    store: StoreConfig, config: Config, environ: Mapping[str, str], workshop: Workshop
) -> VolumeReport:
    name = f"{store.instance} ({store.ref})"
    try:
        inspection = await inspect_bucket(access_of(store), environ)
        async with _opened(store, config, environ) as bucket:
            _, survey = await load_survey(source_of(store), bucket)
            report = await _report(name, store.instance or "", survey, bucket, workshop)
            return replace(
                report,
                lines=(inspection.line(), *report.lines),
                warnings=(*inspection.warnings(), *report.warnings),
            )
    except DvidpcError as error:
        return VolumeReport(name, (), (), (str(error),))


@asynccontextmanager
async def _opened(
    store: StoreConfig, config: Config, environ: Mapping[str, str]
) -> AsyncIterator[ObjectStore]:
    bucket = await open_store(access_of(store), upstream_limits_of(config.limits), environ=environ)
    try:
        yield bucket
    finally:
        await bucket.close()


async def _report(
    name: str, instance: str, survey: Survey, bucket: ObjectStore, workshop: Workshop
) -> VolumeReport:
    lines, warnings = [], list(survey.warnings)
    problems = [f"scale {problem.level} is not served: {problem.reason}" for problem in survey.problems]
    for plan in survey.plans:
        lines.append(describe_scale(instance, survey, plan))
        for decoder in make_decoders(bucket, survey.info, plan, workshop):
            found, problem = await _sample(decoder)
            if problem is not None:
                problems.append(f"scale {plan.scale.level}: {problem}")
            elif not found:
                warnings.append(
                    f"scale {plan.scale.level}: none of {_SAMPLES} chunks of "
                    f"{times(decoder.grid.chunk_size)} looked for is stored; is the scale empty?"
                )
    return VolumeReport(name, tuple(lines), tuple(warnings), tuple(problems))


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


async def _sample(decoder: ChunkDecoder) -> tuple[int, str | None]:
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
            return found, str(error)
    return found, None
