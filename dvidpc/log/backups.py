"""Name, find and remove the rotated log files, which are named as DVID's lumberjack names them.

The time in a name is in UTC: `dvid-2026-11-22T12-57-44.000.log`.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_BACKUP_TIME = "%Y-%m-%dT%H-%M-%S.%f"
"""The time in a backup's name; the last three of its six decimals are left out."""


def backup_path(path: Path, now_s: float) -> Path:
    """Return an unused path for a file that is rotated at *now_s*, in seconds since 1970."""
    while True:
        moment = datetime.fromtimestamp(now_s, UTC).strftime(_BACKUP_TIME)[:-3]
        backup = path.with_name(f"{path.stem}-{moment}{path.suffix}")
        if not backup.exists():
            return backup
        now_s += 0.001


def remove_aged_backups(path: Path, max_age_s: float, now_s: float) -> None:
    """Remove the backups of *path* that are older than *max_age_s* at *now_s*; 0 keeps them all.

    A backup that cannot be removed is left where it is.
    """
    if max_age_s <= 0:
        return
    with contextlib.suppress(OSError):
        for backup, made_s in _backups(path):
            if now_s - made_s > max_age_s:
                backup.unlink(missing_ok=True)


def _backups(path: Path) -> Iterator[tuple[Path, float]]:
    """Yield the backups of *path*, and when each was rotated, in seconds since 1970."""
    for found in list(path.parent.iterdir()):
        name = found.name
        if name.startswith(f"{path.stem}-") and name.endswith(path.suffix):
            moment = name[len(path.stem) + 1 : len(name) - len(path.suffix)]
            with contextlib.suppress(ValueError):
                yield found, datetime.strptime(moment, _BACKUP_TIME).replace(tzinfo=UTC).timestamp()
