"""Where the demo volume is kept, and that it is there: written once, whole or not at all."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO, TypeAlias

from dvidpc.errors import ConfigError
from dvidpc.types import Point

Report: TypeAlias = Callable[[float], None]
"""Hears from time to time which fraction is done; what it raises ends the work."""

DEMO_SIZE = Point(557, 530, 261)
"""Voxels. Each size leaves clipped chunks; that of x JPEG rows of a length that 8 does not divide."""
_NAME = "demo-v1"
"""Another number when the volume changes, for then nobody looks at the old one."""
_SEED = 8


def demo_directory(environ: Mapping[str, str]) -> Path:
    """Where the demo volume of the user is kept, whether or not it is there yet.

    Raises:
        ConfigError: the user has no cache directory.
    """
    cache = Path(environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # which also the XDG specification says to ignore
        cache = Path(environ.get("HOME", "")) / ".cache"
    if not cache.is_absolute():
        raise ConfigError("no place for the demo volume: set XDG_CACHE_HOME or HOME to a directory")
    return cache / "dvidpc" / _NAME


def ensure_demo_volume(directory: Path, stderr: TextIO, size: Point = DEMO_SIZE) -> None:
    """Write the demo volume if it is not there, and say so on *stderr*; takes some 10 s.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        if _is_written(directory):
            return
        with _progress_on(stderr, f"Writing the demo volume to {directory}, once") as report:
            write_demo_volume(directory, report, size)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"cannot write the demo volume to {directory}: {reason}; "
            "set XDG_CACHE_HOME to a directory that can be written"
        ) from error


def write_demo_volume(directory: Path, report: Report, size: Point = DEMO_SIZE) -> None:
    """Write the demo volume beside *directory*, then move it there.

    Raises:
        OSError: that cannot be done.
    """
    from dvidpc.demo.micrograph import make_micrograph  # noqa: PLC0415  slow to import
    from dvidpc.demo.volume import write_volume  # noqa: PLC0415  likewise

    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        image = make_micrograph((size.z, size.y, size.x), _SEED, lambda done: report(0.9 * done))
        volume = Path(scratch) / directory.name
        write_volume(volume, image)
        try:
            volume.rename(directory)
        except OSError:
            if not _is_written(directory):  # by another process, meanwhile
                raise
    report(1.0)


def _is_written(directory: Path) -> bool:
    return (directory / "info").is_file()


@contextmanager
def _progress_on(stderr: TextIO, title: str) -> Iterator[Report]:
    """Shows a bar to a person, and a line at begin and end to a log file."""
    stderr.write(f"{title}\n")
    if not stderr.isatty():
        start = time.monotonic()
        yield lambda _: None
        stderr.write(f"Wrote it in {time.monotonic() - start:.0f} s\n")
        return

    from rich.console import Console  # noqa: PLC0415  slow to import
    from rich.progress import Progress  # noqa: PLC0415  likewise

    with Progress(console=Console(file=stderr)) as progress:
        task = progress.add_task("demo volume", total=1.0)
        yield lambda done: progress.update(task, completed=done)
