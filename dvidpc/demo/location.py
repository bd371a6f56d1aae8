"""The demo volume's directory in the user's cache: written once, whole or not at all."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO, TypeAlias

from dvidpc.demo.layouts import Layout
from dvidpc.errors import ConfigError
from dvidpc.types import Point

Report: TypeAlias = Callable[[float], None]
"""Called now and then with the fraction that is done. An exception that it raises stops the work."""

DEMO_SIZE = Point(557, 530, 261)
"""In voxels. Chunks at the upper faces are clipped, along x to a width that is not a multiple of JPEG's 8."""
_SEED = 8


def demo_directory(environ: Mapping[str, str], layout: Layout = Layout.PRECOMPUTED) -> Path:
    """Return the directory of the user's demo volume, which need not exist yet.

    Raises:
        ConfigError: The user has no cache directory.
    """
    cache = Path(environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # The XDG specification says to ignore relative paths.
        cache = Path(environ.get("HOME", "")) / ".cache"
    if not cache.is_absolute():
        raise ConfigError("no place for the demo volume: set XDG_CACHE_HOME or HOME to a directory")
    return cache / "dvidpc" / layout.directory


def ensure_demo_volume(
    directory: Path, stderr: TextIO, size: Point = DEMO_SIZE, layout: Layout = Layout.PRECOMPUTED
) -> None:
    """Write the demo volumes if they do not exist yet, with progress on *stderr*; takes about 15 s.

    Raises:
        ConfigError: The volume cannot be written there.
    """
    try:
        if _is_written(directory, layout):
            return
        with _progress_on(stderr, f"Writing the demo volume to {directory}, once") as report:
            write_demo_volume(directory, report, size, layout)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"cannot write the demo volume to {directory}: {reason}; "
            "set XDG_CACHE_HOME to a directory that can be written"
        ) from error


def write_demo_volume(
    directory: Path, report: Report, size: Point = DEMO_SIZE, layout: Layout = Layout.PRECOMPUTED
) -> None:
    """Write the demo volume to a scratch directory, then rename that to *directory*.

    Raises:
        OSError: The file system refuses.
    """
    from dvidpc.demo.writing import write_volumes  # noqa: PLC0415  slow to import

    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        volume = Path(scratch) / directory.name
        write_volumes(volume, (size.z, size.y, size.x), _SEED, report, layout)
        try:
            volume.rename(directory)
        except OSError:
            if not _is_written(directory, layout):  # Another process may have been faster.
                raise


def _is_written(directory: Path, layout: Layout) -> bool:
    return (directory / layout.metadata).is_file()


@contextmanager
def _progress_on(stderr: TextIO, title: str) -> Iterator[Report]:
    """Show a progress bar on a terminal; elsewhere write a line at the start and one at the end."""
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
