"""Files that stand for others: links to nothing, pointers, web pages. None of them reads as empty data."""

import gzip
from pathlib import Path

import pytest

from dvidpc.storage.file_reads import find_dangling_link
from tests.check.test_check_buckets import check
from tests.faulty.faults import Fault
from tests.faulty.site import SHARDED, UNSHARDED, faulty_site, limits_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec

CHUNK = "0-64_0-64_0-64"
FRAME = b";chunk-signature=" + b"0" * 64
POINTERS = {
    b"<!DOCTYPE html>\n<html><body>Please log in</body></html>": "it is a web page",
    b"\n <HTML><head></head></HTML>": "it is a web page",
    b'<?xml version="1.0"?>\n<Error><Code>SlowDown</Code></Error>': "it is an error message of a storage",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 886\n": "it is a pointer of Git LFS",
    b"/annex/objects/SHA256E-s26--c3fd.bin\n": "it is a pointer of git-annex",
    b"5\r\ntoto\n\r\n0\r\nx-amz-checksum-crc32:+H0IvQ==\r\n\r\n": "it holds the frames of its upload",
    b"2" + FRAME + b"\r\n{}\r\n0" + FRAME + b"\r\n\r\n": "it holds the frames of its upload",
    gzip.compress(b"{}"): "it is compressed by gzip, and no Content-Encoding says so",
    b"": "0 bytes",
}
"""What is found in place of an object, and the words for it."""


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["chunks", "shards"])
async def test_a_link_to_nothing_is_an_error_and_no_empty_block(spec: VolumeSpec, tmp_path: Path) -> None:
    """Content that git-annex has not fetched (datalad issue 7371, CONP-PCNO/conp-dataset issue 302)."""
    truth = write_truth(tmp_path / "root" / "em", spec)
    name = CHUNK if spec.sharding is None else "0.shard"
    chunk, content = tmp_path / "root" / "em" / "s0" / name, tmp_path / "annexed"
    chunk.rename(content)
    chunk.symlink_to(tmp_path / "not-fetched")
    text = config_text({"em": tmp_path / "root" / "em"}, limits_section())
    async with serving(text, tmp_path) as server:
        status, said = await server.error(blocks_path(server.node, "em", [(0, 0, 0)]))
        assert status == 503
        assert f"{name}' is a link to nothing; is the disk mounted, was the content fetched" in said
        hole = blocks_path(server.node, "em", [(1, 1, 0)])
        if spec.sharding is None:
            assert truth.wrong_in([(1, 1, 0)], await server.get(hole)) == []  # absent, and no link
        chunk.unlink()
        chunk.symlink_to(content)
        assert (
            truth.wrong_in([(0, 0, 0)], await server.get(blocks_path(server.node, "em", [(0, 0, 0)]))) == []
        )


async def test_a_scale_behind_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "root" / "em", UNSHARDED)
    (tmp_path / "root" / "em" / "s0").rename(tmp_path / "disk")
    (tmp_path / "root" / "em" / "s0").symlink_to(tmp_path / "disk")
    text = config_text({"em": tmp_path / "root" / "em"}, limits_section())
    async with serving(text, tmp_path) as server:
        (tmp_path / "disk").rename(tmp_path / "unmounted")
        for cell in truth.blocks[:3]:
            status, said = await server.error(blocks_path(server.node, "em", [cell]))
            assert status == 503
            assert "/em/s0' is a link to nothing" in said
        (tmp_path / "unmounted").rename(tmp_path / "disk")
        assert (
            truth.wrong_in(truth.blocks, await server.get(blocks_path(server.node, "em", truth.blocks))) == []
        )


@pytest.mark.parametrize("options", [("--deep",), ()], ids=["deep", "short"])
async def test_check_names_a_link_to_nothing(options: tuple[str, ...], tmp_path: Path) -> None:
    write_truth(tmp_path / "em", UNSHARDED)
    chunk = tmp_path / "em" / "s0" / CHUNK
    chunk.unlink()
    chunk.symlink_to("nowhere")
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}), *options)
    assert said.code == 1
    assert f"problem scale 0: file://{chunk} cannot be read: '{chunk}' is a link to nothing" in said.out
    assert "are served as empty" not in said.out
    if options:
        assert "17 of 18 chunks" not in said.out


def test_only_links_to_nothing_are_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "good").symlink_to("file")
    (tmp_path / "bad").symlink_to("nowhere")
    (tmp_path / "far").symlink_to("bad")
    for missing in ("no", "no/no", "file/no", "good/no"):
        assert find_dangling_link(str(tmp_path / missing)) is None
    for link in ("bad", "far"):
        assert find_dangling_link(str(tmp_path / link)) == str(tmp_path / link)
        assert find_dangling_link(str(tmp_path / link / "a" / "b")) == str(tmp_path / link)


@pytest.mark.parametrize(("stored", "words"), POINTERS.items(), ids=POINTERS.values())
async def test_what_is_stored_in_place_of_a_chunk_is_named(stored: bytes, words: str, tmp_path: Path) -> None:
    """Pages (prompt-edu/prompt issue 2083), frames (boto3 issue 4435), pointers (git-lfs issue 4240)."""
    async with faulty_site(tmp_path, "http") as site:
        (tmp_path / "bucket" / "em" / "s0" / CHUNK).write_bytes(stored)
        status, said = await site.server.error(site.path([(0, 0, 0)]))
    assert status == 502
    assert f"/em/s0/{CHUNK}: " in said
    assert words in said


@pytest.mark.parametrize(("stored", "words"), POINTERS.items(), ids=POINTERS.values())
async def test_what_is_stored_in_place_of_the_info_is_named(
    stored: bytes, words: str, tmp_path: Path
) -> None:
    write_truth(tmp_path / "em", UNSHARDED)
    (tmp_path / "em" / "info").write_bytes(stored)
    text = config_text({"em": tmp_path / "em"})
    async with serving(text, tmp_path) as server:
        status, said = await server.error("/readyz")
    assert status == 503
    assert words in said
    checked = await check(tmp_path, text)
    assert checked.code == 1
    assert words in checked.out


async def test_a_web_page_in_place_of_a_missing_shard_is_named(tmp_path: Path) -> None:
    """A host that answers 200 with its start page to whatever is missing (TissUUmaps4 pull request 183)."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>"
    async with faulty_site(tmp_path, "http", SHARDED) as site:
        site.bucket.rule("em/s0/*", Fault(garbage=page))
        status, said = await site.server.error(site.path([(0, 0, 0)]))
    assert status == 502
    assert "0.shard ends at byte 6" in said
    assert "it is a web page" in said
