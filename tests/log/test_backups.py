"""Names of rotated log files, and the removal of old ones."""

from pathlib import Path

import pytest

from dvidpc.log.backups import backup_path, remove_aged_backups
from tests.log.records import NOON

DAY_S = 24 * 3600


@pytest.mark.parametrize(
    ("name", "backup"),
    [
        ("dvid.log", "dvid-2026-11-22T12-57-44.000.log"),
        ("dvid", "dvid-2026-11-22T12-57-44.000"),
        ("a.b.txt", "a.b-2026-11-22T12-57-44.000.txt"),
    ],
)
def test_backup_has_the_utc_time_before_the_suffix(tmp_path: Path, name: str, backup: str) -> None:
    assert backup_path(tmp_path / name, NOON) == tmp_path / backup


def test_name_in_use_moves_the_time_by_a_millisecond(tmp_path: Path) -> None:
    (tmp_path / "dvid-2026-11-22T12-57-44.000.log").touch()
    assert backup_path(tmp_path / "dvid.log", NOON).name == "dvid-2026-11-22T12-57-44.001.log"


@pytest.mark.parametrize(
    ("max_age_s", "now_s", "kept"),
    [(0, NOON + 9 * DAY_S, True), (DAY_S, NOON + DAY_S, True), (DAY_S, NOON + DAY_S + 1, False)],
)
def test_backup_is_removed_once_it_is_older_than_the_limit(
    tmp_path: Path, max_age_s: float, now_s: float, *, kept: bool
) -> None:
    path = tmp_path / "dvid.log"
    backup = backup_path(path, NOON)
    backup.touch()
    remove_aged_backups(path, max_age_s, now_s)
    assert backup.exists() == kept


def test_backups_that_cannot_be_listed_are_no_error(tmp_path: Path) -> None:
    remove_aged_backups(tmp_path / "absent" / "dvid.log", DAY_S, NOON)
