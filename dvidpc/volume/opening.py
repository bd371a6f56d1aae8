"""Opens a volume: reads its `info` and makes a data instance of every scale that can be served."""

import logging
from concurrent.futures import Executor
from dataclasses import dataclass

from dvidpc.errors import FormatError
from dvidpc.formats.codec import can_decode
from dvidpc.formats.grid import Grid
from dvidpc.formats.info import MAX_INFO_SIZE, Scale, VolumeInfo, parse_info
from dvidpc.storage.answers import name_object
from dvidpc.storage.base import ObjectStore
from dvidpc.types import Point
from dvidpc.volume.cache import LoadingCache
from dvidpc.volume.chunks import ChunkReader
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.repo import Instance, VoxelType, derive_data_uuid, find_voxel_type

log = logging.getLogger(__name__)

INFO_KEY = "info"

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


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all volumes share: where blocks are kept and where they are made."""

    payloads: LoadingCache
    """Keeps payloads and decoded chunks."""
    indexes: LoadingCache
    """Keeps shard and minishard indexes."""
    pool: Executor
    """Decodes and encodes."""


async def open_volume(
    source: VolumeSource, store: ObjectStore, repo_uuid: str, workshop: Workshop
) -> list[Instance]:
    """The instances of a volume as its `info` has it now; see `read_info` and `make_instances`."""
    return make_instances(source, store, repo_uuid, workshop, await read_info(store))


async def read_info(store: ObjectStore) -> bytes:
    """The `info` of the volume in *store*, as it is written there.

    Raises:
        FormatError: There is none.
        StoreError: The bucket failed.
    """
    blob = await store.get(INFO_KEY, max_size=MAX_INFO_SIZE)
    if blob is None:
        raise FormatError(
            f"{name_object(store.url, INFO_KEY)} does not exist: is the ref right, is the volume complete?"
        )
    return blob.data


def make_instances(
    source: VolumeSource, store: ObjectStore, repo_uuid: str, workshop: Workshop, text: bytes
) -> list[Instance]:
    """The instances of a volume whose `info` is *text*, finest scale first.

    Scales that cannot be served are logged and left out.

    Raises:
        FormatError: The `info` cannot be understood, or no scale of it can be served.
    """
    try:
        info = parse_info(text)
        voxel_type = _voxel_type_of(info)
    except FormatError as error:
        raise FormatError(f"{name_object(store.url, INFO_KEY)}: {error}") from error

    for refused in info.refused:
        log.error("%s: scale %d is not served: %s", store.url, refused.level, refused.reason)
    instances = []
    for scale in info.scales:
        try:
            instances.append(_make_instance(source, store, repo_uuid, workshop, info, voxel_type, scale))
        except FormatError as error:
            log.error("%s: scale %d is not served: %s", store.url, scale.level, error)
    if not instances:
        raise FormatError(f"{store.url}: no scale can be served")
    _warn_unless_pyramid(instances, store.url)
    return instances


def _voxel_type_of(info: VolumeInfo) -> VoxelType:
    voxel_type = find_voxel_type(info.data_type.value, info.num_channels)
    if voxel_type is None:
        raise FormatError(f"DVID has no type for {info.num_channels} channel(s) of {info.data_type}")
    return voxel_type


def _make_instance(
    source: VolumeSource,
    store: ObjectStore,
    repo_uuid: str,
    workshop: Workshop,
    info: VolumeInfo,
    voxel_type: VoxelType,
    scale: Scale,
) -> Instance:
    if scale.key.startswith(".."):
        raise FormatError(f"key {scale.key!r} leads out of the volume's directory")
    if not can_decode(scale.encoding, info.data_type, info.num_channels):
        raise FormatError(
            f"{scale.encoding} chunks of {info.num_channels} x {info.data_type} cannot be decoded"
        )
    grid = scale.grids[0]
    reader = ChunkReader(store, scale.key, scale, grid, (info.data_type, info.num_channels), workshop.indexes)
    blocks = GridStore(
        reader, grid, scale.encoding, _block_size(source, grid), workshop.payloads, workshop.pool
    )
    name = source.instance if scale.level == 0 else f"{source.instance}_{scale.level}"
    log.info(
        "%s: scale %d, %s voxels in chunks of %s, %s%s -> instance %s",
        store.url,
        scale.level,
        _times(scale.size),
        _times(grid.chunk_size),
        scale.encoding,
        ", sharded" if scale.sharding else "",
        name,
    )
    return Instance(
        name=name,
        data_uuid=derive_data_uuid(repo_uuid, name),
        store_alias=source.alias,
        store_url=store.url,
        scale_level=scale.level,
        voxel_type=voxel_type,
        compression=_JPEG_COMPRESSION if voxel_type.type_name == "uint8blk" else _NO_COMPRESSION,
        voxel_size=scale.resolution_nm,
        min_point=grid.box.start,
        max_point=Point(*(stop - 1 for stop in grid.box.stop)),
        block_size=blocks.block_size.x,
        grid=blocks,
    )


def _block_size(source: VolumeSource, grid: Grid) -> Point:
    if source.block_size is not None:
        return Point(source.block_size, source.block_size, source.block_size)
    if len(set(grid.chunk_size)) > 1:
        raise FormatError(
            f'chunks of {_times(grid.chunk_size)} voxels are no cubes, so block_size = "chunk" cannot be; '
            "give a number"
        )
    return grid.chunk_size


def _warn_unless_pyramid(instances: list[Instance], url: str) -> None:
    """NeuTu and neuroglancer take scale n to be 2^n times coarser along each axis, whatever `info` says."""
    base = instances[0]
    for instance in instances[1:]:
        factor = 2 ** (instance.scale_level - base.scale_level)
        ratios = [
            fine and coarse / fine for fine, coarse in zip(base.voxel_size, instance.voxel_size, strict=True)
        ]
        if any(abs(ratio - factor) > factor * 0.02 for ratio in ratios):
            log.warning(
                "%s: scale %d is %s times coarser than scale %d; NeuTu and neuroglancer will take it for %d",
                url,
                instance.scale_level,
                " x ".join(f"{ratio:g}" for ratio in ratios),
                base.scale_level,
                factor,
            )


def _times(size: Point) -> str:
    return " x ".join(map(str, size))
