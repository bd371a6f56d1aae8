"""`dvidpc cache`: show, verify and clear the disk cache of a configuration. Servers may run meanwhile."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, TextIO

from dvidpc.cache.disk.disk_place import UnusableError
from dvidpc.cache.disk.upkeep import DiskStats, StoreStats, clear, stats_of, verify
from dvidpc.check.terminal import Watch
from dvidpc.config import Config
from dvidpc.errors import ConfigError, FormatError
from dvidpc.log.escaping import one_line
from dvidpc.log.quantities import describe_size

NONE_YET: Final = "{}: there is no disk cache yet; a server makes it"
_HEAD: Final = ("STORE", "ENTRIES", "SIZE", "LAST USED", "NOT USED SINCE")


def print_stats(config: Config, out: TextIO) -> int:
    """Print what is in the disk cache, by store; return the exit code.

    Raises:
        ConfigError: The configuration has no disk cache.
        DvidpcError: It cannot be read.
    """
    place = place_of(config)
    stats = stats_of(place)
    lines = [NONE_YET.format(place)] if stats is None else lines_of(place, stats)
    out.writelines(f"{line}\n" for line in lines)
    return 0


def print_verify(config: Config, out: TextIO) -> int:
    """Compare every entry with its checksum, remove the damaged ones and name them; return the exit code.

    Raises:
        ConfigError: The configuration has no disk cache.
        DvidpcError: It cannot be read.
    """
    place = place_of(config)
    if stats_of(place) is None:
        out.write(f"{NONE_YET.format(place)}\n")
        return 0
    watch = Watch(sys.stderr)
    try:
        result = verify(place, lambda done, total: watch("verify", done, total))
    finally:
        watch.clear()
    out.writelines(f"damaged, and removed: {one_line(name)}\n" for name in result.damaged)
    count = len(result.damaged)
    out.write(f"{place}: {result.checked:,} entries were compared, {count:,} of them are damaged\n")
    return 1 if count else 0


def print_clear(config: Config, out: TextIO) -> int:
    """Empty the disk cache, also a damaged one, and print what was removed; return the exit code.

    Raises:
        ConfigError: The configuration has no disk cache.
        DvidpcError: It cannot be removed.
    """
    place = place_of(config)
    try:
        before = stats_of(place)
    except FormatError:
        text = f"{place}: what could not be read was removed"
    else:
        none = NONE_YET.format(place)
        text = none if before is None else f"{place}: {before.entries:,} entries were removed"
    clear(place)
    out.write(f"{text}\n")
    return 0


def place_of(config: Config) -> Path:
    """Return the directory of the disk cache.

    Raises:
        ConfigError: There is none.
    """
    if not config.cache.disk or config.cache.disk_path is None:
        raise ConfigError(
            f"{config.path}: there is no disk cache; write below [cache] for example "
            'disk = "200GiB" and disk_path = "/var/cache/dvidpc"'
        )
    return config.cache.disk_path


def lines_of(place: Path, stats: DiskStats) -> list[str]:
    """Return the statistics as lines."""
    share = stats.nbytes / stats.budget if stats.budget else 0.0
    head = (
        f"{place}: {stats.entries:,} entries, {describe_size(stats.nbytes)} of {describe_size(stats.budget)} "
        f"({share:.0%}), format {stats.format}"
    )
    return [head, *table([_HEAD, *map(_row, stats.stores)])]


def _row(store: StoreStats) -> Sequence[str]:
    times = time_text(store.newest), time_text(store.oldest)
    return one_line(store.identity), f"{store.entries:,}", describe_size(store.nbytes), *times


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns are aligned; none if there is only the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows] if len(rows) > 1 else []


def time_text(time: float) -> str:
    """Return a time in seconds since the epoch for people."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


_COMMANDS: Final[Mapping[str, Callable[[Config, TextIO], int]]] = MappingProxyType(
    {"stats": print_stats, "verify": print_verify, "clear": print_clear}
)


def run_cache_command(action: str, config: Config, out: TextIO) -> int:
    """Run an action of `dvidpc cache`; return the exit code.

    Args:
        action: `stats`, `verify` or `clear`.
        config: Names the disk cache.
        out: Where the result is written.

    Raises:
        ConfigError: The configuration has no disk cache.
        DvidpcError: It cannot be used.
    """
    try:
        return _COMMANDS[action](config, out)
    except OSError as error:  # such as a directory of another user
        raise UnusableError(
            f"{config.cache.disk_path} cannot be used: {error.strerror}; run this as the user of the server"
        ) from error
