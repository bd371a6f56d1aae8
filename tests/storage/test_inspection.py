"""Directories and web servers are inspected without any vendor's library."""

from pathlib import Path

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.ref import parse_ref
from dvidpc.types import Finding


def warnings_of(rights: BucketRights) -> list[Finding]:
    return rights.warnings(can_read=False, missing_status={404})


async def test_directory_is_inspected_by_its_mode(tmp_path: Path) -> None:
    found = await inspect_bucket(BucketAccess(parse_ref(f"file://{tmp_path}")), {})
    assert (found.may_list, warnings_of(found)) == (True, [])


async def test_nothing_is_claimed_about_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    found = await inspect_bucket(BucketAccess(parse_ref(f"file://{tmp_path}/gone")), {})
    assert (found.may_list, found.may_write) == (None, None)


async def test_web_server_is_read_by_anybody() -> None:
    found = await inspect_bucket(BucketAccess(parse_ref("http://127.0.0.1:1/em")), {})
    assert (found.who, found.may_list, warnings_of(found)) == ("anybody", None, [])
