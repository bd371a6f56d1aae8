"""Format the served volumes as a table for the log."""

import logging
from collections.abc import Iterable, Sequence

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Data, Instance
from dvidpc.data.volumes import Volume
from dvidpc.sources.plan import times

log = logging.getLogger(__name__)

_HEAD = ("STORE", "INSTANCE", "SCALE", "SIZE", "RESOLUTION NM", "STORED AS", "SERVED")


def table_of(volumes: Iterable[Volume]) -> list[str]:
    """Return the lines of a table of all scales, then why other volumes are not served."""
    rows: list[Sequence[str]] = [_HEAD]
    problems = []
    for volume in volumes:
        rows += [_row(instance) for instance in volume.instances]
        if volume.problem is not None:
            problems.append(f"{volume.settings.alias}  not served: {volume.problem}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [*(lines if len(lines) > 1 else ()), *problems]


def log_table(volumes: Iterable[Volume]) -> None:
    """Log the lines of `table_of`."""
    for line in table_of(volumes):
        log.info("%s", line)


def _row(instance: Instance[Data]) -> Sequence[str]:
    data = instance.data
    if not isinstance(data, ImageData):
        return (instance.store_alias, instance.name, "", "", "", data.kind, data.data_type.name)
    return (
        instance.store_alias,
        instance.name,
        str(data.scale_level),
        times(data.size),
        times(data.voxel_size),
        data.stored_as,
        data.served_how,
    )
