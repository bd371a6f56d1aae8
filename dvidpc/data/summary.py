"""Format the served volumes as a table for the log."""

import logging
from collections.abc import Iterable, Iterator, Sequence

from dvidpc.data.instance import Data, Instance
from dvidpc.data.scales import scales_of
from dvidpc.data.served_volume import Volume
from dvidpc.sources.scale_plan import times

log = logging.getLogger(__name__)

_HEAD = ("STORE", "INSTANCE", "SCALE", "SIZE", "RESOLUTION NM", "STORED AS", "SERVED")


def table_of(volumes: Iterable[Volume]) -> list[str]:
    """Return the lines of a table of all scales, then why other volumes are not served."""
    rows: list[Sequence[str]] = [_HEAD]
    problems = []
    for volume in volumes:
        rows += [row for instance in volume.instances for row in _rows(instance)]
        if volume.problem is not None:
            problems.append(f"{volume.settings.alias}  not served: {volume.problem}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [*(lines if len(lines) > 1 else ()), *problems]


def log_table(volumes: Iterable[Volume]) -> None:
    """Log the lines of `table_of`."""
    for line in table_of(volumes):
        log.info("%s", line)


def _rows(instance: Instance[Data]) -> Iterator[Sequence[str]]:
    """Yield a row for each scale of an instance; one for an instance without scales."""
    alias, name, data = instance.store_alias, instance.name, instance.data
    scales = scales_of(data)
    if not scales:
        yield alias, name, "", "", "", data.kind, data.data_type.name
    for scale in scales:
        sizes = times(scale.size), times(scale.voxel_size)
        yield alias, name, str(scale.scale_level), *sizes, scale.stored_as, scale.served_how
