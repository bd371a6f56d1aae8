"""Directories and web servers are inspected without any vendor's library."""

from pathlib import Path

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.ref import parse_ref


async def test_directory_is_inspected_by_its_mode(tmp_path: Path) -> None:
    found = await inspect_bucket(BucketAccess(parse_ref(f"file://{tmp_path}")), {})
    assert (found.may_list, found.warnings()) == (True, [])


async def test_web_server_is_read_by_anybody() -> None:
    found = await inspect_bucket(BucketAccess(parse_ref("http://127.0.0.1:1/em")), {})
    assert (found.who, found.may_list, found.warnings()) == ("anybody", None, [])
