"""A disk cache that cannot be used costs one line in the log, and no request."""

from pathlib import Path

import pytest

from tests.disk.sites import Process, disk_text, process_of
from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.site import UNSHARDED, store_section
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.programs import need
from tests.serving import UUID

NODE = f"/api/node/{UUID}"


async def serve_all(process: Process, truth: Truth) -> None:
    """Read every block, and check it."""
    status, body = await process.ask(blocks_path(NODE, "em", truth.blocks))
    assert status == 200
    assert truth.wrong_in(truth.blocks, body) == []


def told_by(process: Process) -> list[str]:
    """Return the lines about trouble with the disk cache in the log of a process that has ended."""
    assert not any("Traceback" in line for line in process.command.lines)
    return [line for line in process.command.lines if "disk cache" in line and " INFO " not in line]


def text_of(tmp_path: Path, bucket: FaultyBucket, disk_path: Path) -> str:
    text = disk_text(tmp_path, store_section("http", bucket))
    return text.replace(f'"{tmp_path}/disk"', f'"{disk_path}"')


@pytest.mark.parametrize("place", ["file", "no/parent", "file/below"])
async def test_a_directory_that_cannot_be_used(place: str, tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    (tmp_path / "file").write_text("")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        text = text_of(tmp_path, bucket, tmp_path / place)
        async with process_of(text, tmp_path) as process:
            await serve_all(process, truth)
            status, ready = await process.ask("/readyz")
            assert status == 200
            assert ready.startswith(b"ok\ndisk cache: ")
            assert str(tmp_path / place) in ready.decode()
        [line] = told_by(process)
        assert str(tmp_path / place) in line
    assert (tmp_path / "file").read_text() == ""


async def test_a_full_disk(tmp_path: Path) -> None:
    """Stand in for it with a limit on the size of files."""
    limit = [need("prlimit", "util-linux"), "--fsize=300000"]
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        text = text_of(tmp_path, bucket, tmp_path / "disk")
        for _ in range(2):
            async with process_of(text, tmp_path, prefix=limit) as process:
                await serve_all(process, truth)
                ready = b""
                while b"disk cache" not in ready:
                    status, ready = await process.ask("/readyz")
                    assert status == 200
            [line] = told_by(process)
            assert "is not written to" in line
        async with process_of(text, tmp_path) as process:
            await serve_all(process, truth)
            assert await process.ask("/readyz") == (200, b"ok\n")
        assert told_by(process) == []


async def test_a_damaged_database_is_moved_aside(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        text = text_of(tmp_path, bucket, tmp_path / "disk")
        async with process_of(text, tmp_path) as process:
            await serve_all(process, truth)
        database = tmp_path / "disk/dvidpc-cache/cache.sqlite"
        database.write_bytes(b"no database" * 4096)
        async with process_of(text, tmp_path) as process:
            await serve_all(process, truth)
        [line] = told_by(process)
        assert "starts empty" in line
        assert len(list((tmp_path / "disk").glob("dvidpc-cache.set-aside-*"))) == 1
