"""The head of a response says which version of an object it holds."""

import pytest
from multidict import CIMultiDict

from dvidpc.storage.http.response_versions import read_version
from dvidpc.storage.versions import Version

OLD = "Wed, 01 Jan 2025 00:00:00 GMT"


def read(status: int = 206, **headers: str) -> Version:
    return read_version(status, named(headers))


def named(headers: dict[str, str]) -> CIMultiDict[str]:
    return CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})


def test_etag_may_be_ignored_and_an_empty_one_is_none() -> None:
    assert read(etag='"a"').etag == '"a"'
    assert read_version(206, named({"etag": '"a"'}), ignore_etag=True).etag is None
    assert read(etag="").etag is None


@pytest.mark.parametrize(
    ("status", "headers", "size"),
    [
        (206, {"content_range": "bytes 2-5/10"}, 10),
        (206, {"content_range": "bytes 2-5/*"}, None),
        (206, {}, None),
        (416, {"content_range": "bytes */10"}, 10),
        (200, {"content_length": "10"}, 10),
        (200, {"content_length": "10", "content_encoding": "gzip"}, None),
        (200, {}, None),
    ],
)
def test_size_is_that_of_the_whole_object(status: int, headers: dict[str, str], size: int | None) -> None:
    assert read(status, **headers).size == size


@pytest.mark.parametrize(
    ("modified", "date", "is_settled"),
    [
        (OLD, "Wed, 01 Jan 2025 00:00:59 GMT", False),
        (OLD, "Wed, 01 Jan 2025 00:01:00 GMT", True),
        (OLD, "", False),
        (OLD, "a date", False),
        (OLD, "Wed, 01 Jan 2025 00:01:00 +9999", False),
        ("a date", OLD, False),
    ],
)
def test_time_counts_once_a_minute_has_passed(modified: str, date: str, *, is_settled: bool) -> None:
    version = read(last_modified=modified, date=date)
    assert (version.modified, version.is_settled) == (modified, is_settled)


def test_versions_of_s3_and_generations_of_google_count() -> None:
    assert read(x_amz_version_id="3/L4").number == "3/L4"
    assert read(x_amz_version_id="null").number is None
    assert read(x_goog_generation="17").number == "17"
