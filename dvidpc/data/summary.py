"""What is served and how, for the log, the front page and whoever checks a configuration."""

import logging
from collections.abc import Iterable, Sequence

from dvidpc.data.repo import Instance
from dvidpc.data.volumes import Volume
from dvidpc.types import Compression, Point

log = logging.getLogger(__name__)

_HEAD = ("STORE", "INSTANCE", "SCALE", "SIZE", "RESOLUTION NM", "STORED AS", "SERVED")


def times(numbers: Iterable[float]) -> str:
    """Extents or resolutions along x, y and z as people write them: `4 x 4 x 40`."""
    return " x ".join(f"{number:.10g}" for number in numbers)


def size_of(instance: Instance) -> Point:
    """The voxels of an instance along x, y and z."""
    first, last = instance.min_point, instance.max_point
    return Point(last.x - first.x + 1, last.y - first.y + 1, last.z - first.z + 1)


def stored_as(instance: Instance) -> str:
    """How the bucket has the voxels: `jpeg chunks of 64 x 64 x 64, sharded`."""
    grid = instance.grid
    sharded = ", sharded" if grid.is_sharded else ""
    return f"{grid.encoding} chunks of {times(grid.grid.chunk_size)}{sharded}"


def served_how(instance: Instance) -> str:
    """What is done to a chunk before a client has it, where it asks for nothing in particular."""
    grid = instance.grid
    is_jpeg = grid.default_compression is Compression.JPEG
    if grid.grid.chunk_size == grid.block_size and not _is_shifted(instance):
        if grid.passes_through() is grid.default_compression:
            return "as stored"
        return "encoded as JPEG" if is_jpeg else "decoded"
    cubes = f"{times(grid.block_size)} blocks"
    return f"cut into {cubes}, encoded as JPEG" if is_jpeg else f"decoded, cut into {cubes}"


def _is_shifted(instance: Instance) -> bool:
    """Whether chunks do not begin where blocks do."""
    start, block_size = instance.grid.grid.box.start, instance.grid.block_size
    return any(offset % size for offset, size in zip(start, block_size, strict=True))


def table_of(volumes: Iterable[Volume]) -> list[str]:
    """Lines that show every volume with its scales, or why it is not served."""
    rows: list[Sequence[str]] = [_HEAD]
    problems = []
    for volume in volumes:
        rows += [_row(instance) for instance in volume.instances]
        if volume.problem is not None:
            problems.append(f"{volume.source.alias}  not served: {volume.problem}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [*(lines if len(lines) > 1 else ()), *problems]


def log_table(volumes: Iterable[Volume]) -> None:
    """Have the log show what `table_of` does."""
    for line in table_of(volumes):
        log.info("%s", line)


def _row(instance: Instance) -> Sequence[str]:
    return (
        instance.store_alias,
        instance.name,
        str(instance.scale_level),
        times(size_of(instance)),
        times(instance.voxel_size),
        stored_as(instance),
        served_how(instance),
    )
