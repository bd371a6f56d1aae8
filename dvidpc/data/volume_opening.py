"""Opens a volume: reads its `info` and makes a data instance of every scale that can be served."""

import logging
from concurrent.futures import Executor
from dataclasses import dataclass, field

from dvidpc.cache.held import make_held
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.repo import Instance, derive_data_uuid
from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info import VolumeInfo, parse_info
from dvidpc.sources.channels import Shown
from dvidpc.sources.isolation import Isolation
from dvidpc.sources.precomputed.chunk_reader import ChunkReader
from dvidpc.sources.precomputed.location import INFO_KEY, find_info, resolve_key
from dvidpc.sources.precomputed.planning import ScalePlan, Survey, survey_volume
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import Compression, Point
from dvidpc.volume.decoding import ChunkDecoder
from dvidpc.volume.grid_store import GridStore

log = logging.getLogger(__name__)

_JPEG_COMPRESSION = "jpeg compression, level 32"
_NO_COMPRESSION = "No compression"


@dataclass(frozen=True, slots=True)
class VolumeSource:
    """One volume of the configuration."""

    alias: str
    """The `[store.<alias>]` it comes from."""
    instance: str
    """The name of its finest scale; the others get `_1`, `_2`, ..."""
    block_size: int | None
    """Voxels along each edge of a block; None: blocks are as large as chunks, as in DVID."""
    directory: str = ""
    """Where it lies in its store."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all volumes share: where blocks are kept and where they are made."""

    payloads: LoadingCache
    """Keeps payloads and decoded chunks."""
    indexes: LoadingCache
    """Keeps shard and minishard indexes."""
    pool: Executor
    """Decodes and encodes."""
    held: LoadingCache = field(default_factory=make_held)
    """Keeps decoded chunks for requests under way."""
    isolation: Isolation = field(default_factory=Isolation)
    """Decodes what could end this process; close it once the pool is shut down."""


async def open_volume(
    source: VolumeSource, store: ObjectStore, repo_uuid: str, workshop: Workshop
) -> list[Instance]:
    """The instances of a volume as its `info` has it now; see `find_info` and `make_instances`."""
    directory, data = await find_info(store, source.directory)
    return make_instances(source, store, repo_uuid, workshop, directory, data)


def make_instances(
    source: VolumeSource, store: ObjectStore, repo_uuid: str, workshop: Workshop, directory: str, data: bytes
) -> list[Instance]:
    """The instances of a volume whose `info` in *directory* is *data*, finest scale first.

    Scales that cannot be served are logged and left out.

    Raises:
        FormatError: The `info` cannot be understood, or no scale of it can be served.
    """
    survey = _survey(source, store, directory, data)
    url = name_object(store.url, directory).rstrip("/")
    for problem in survey.problems:
        log.error("%s: scale %d is not served: %s", url, problem.level, problem.reason)
    instances: list[Instance] = []
    for plan in survey.plans:
        copies = make_decoders(store, survey.info, plan, workshop)
        instances += [
            _make_instance(source, url, repo_uuid, workshop, plan, shown, copies) for shown in survey.shown
        ]
    for warning in survey.warnings:
        log.warning("%s: %s", url, warning)
    return instances


async def load_survey(source: VolumeSource, store: ObjectStore) -> tuple[str, Survey]:
    """The directory in which the `info` of a volume was found, redirects followed, and what to do with it.

    Raises:
        FormatError: There is no `info`, it cannot be understood, or no scale of it can be served.
        StoreError: The bucket failed.
    """
    directory, data = await find_info(store, source.directory)
    return directory, _survey(source, store, directory, data)


def _survey(source: VolumeSource, store: ObjectStore, directory: str, data: bytes) -> Survey:
    try:
        return survey_volume(parse_info(data), directory, source.block_size)
    except FormatError as error:
        raise FormatError(f"{name_object(store.url, resolve_key(directory, INFO_KEY))}: {error}") from error


def make_decoders(
    store: ObjectStore, info: VolumeInfo, plan: ScalePlan, workshop: Workshop
) -> list[ChunkDecoder]:
    """What reads the copies of a scale."""
    voxel = (info.data_type, info.num_channels)
    return [
        ChunkDecoder(
            ChunkReader(store, plan.directory, plan.scale, grid, voxel, workshop.indexes),
            grid,
            plan.scale.encoding,
            workshop.payloads,
            workshop.pool,
            workshop.isolation,
        )
        for grid in plan.grids
    ]


def _make_instance(
    source: VolumeSource,
    url: str,
    repo_uuid: str,
    workshop: Workshop,
    plan: ScalePlan,
    shown: Shown,
    copies: list[ChunkDecoder],
) -> Instance:
    level = plan.scale.level
    box = plan.grids[0].box
    blocks = GridStore(copies, shown.layout, plan.block_size, workshop.payloads, workshop.held)
    name = source.instance + shown.suffix + (f"_{level}" if level else "")
    return Instance(
        name=name,
        data_uuid=derive_data_uuid(repo_uuid, name),
        store_alias=source.alias,
        store_url=url,
        scale_level=level,
        voxel_type=shown.voxel_type,
        compression=_JPEG_COMPRESSION if blocks.default_compression is Compression.JPEG else _NO_COMPRESSION,
        voxel_size=plan.scale.resolution_nm,
        min_point=box.start,
        max_point=Point(*(stop - 1 for stop in box.stop)),
        block_size=blocks.block_size.x,
        grid=blocks,
        channel=shown.layout.channel or 0,
    )
