"""The log's table shows every instance, and why a volume has none."""

import pytest

from dvidpc.data.served_volume import Volume
from dvidpc.data.summary import log_table, table_of
from dvidpc.sources.plan import VolumeSettings
from tests.arrays import Arrays
from tests.opened import GRAY


def volume(problem: str | None) -> Volume:
    served = [GRAY] if problem is None else []
    return Volume(VolumeSettings("em", "gray", 64), Arrays(), problem, instances=served)


def test_an_instance_is_a_row_under_the_heads() -> None:
    assert table_of([volume(None)]) == [
        "STORE  INSTANCE  SCALE  SIZE             RESOLUTION NM  STORED AS                    SERVED",
        "em     gray      0      150 x 130 x 100  8 x 8 x 8      jpeg chunks of 64 x 64 x 64  as stored",
    ]


def test_a_volume_that_is_not_served_says_why() -> None:
    assert table_of([volume("no such bucket")]) == ["em  not served: no such bucket"]
    assert table_of([volume(None), volume("no such bucket")])[2:] == ["em  not served: no such bucket"]


def test_no_volumes_make_no_table() -> None:
    assert table_of([]) == []


def test_each_line_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_table([volume(None)])
    assert [record.getMessage() for record in caplog.records] == table_of([volume(None)])
