"""Malicious buckets cannot make the server allocate much or read outside of the volume.

The names of the rows, B9 and so on, are those of docs/reliability.md.
"""

import gzip
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.faulty.bucket import BUCKET, faulty_bucket
from tests.faulty.site import SHARDED, limits_section, store_section
from tests.faulty.truth import Truth, write_truth
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, sharding

MIB = 2**20
FAR = 2**63
RAW_INDEX = replace(SHARDED, sharding=sharding(shard_bits=0, minishard_index_encoding="raw"))
ENTRIES = 4
"""Number of minishards in the shard."""

CUT_OFF = 0
"""Stands for a status when the answer had begun and the connection was cut."""

Edit = Callable[[bytearray], bytes | bytearray]


def shard_of(directory: Path) -> Path:
    return directory / "em" / "s0" / "0.shard"


def entry(shard: bytes | bytearray, number: int) -> tuple[int, int]:
    """Return where a minishard's index lies in the shard file."""
    start, stop = struct.unpack_from("<2Q", shard, 16 * number)
    return 16 * ENTRIES + start, 16 * ENTRIES + stop


def set_entry(start: int, stop: int) -> Edit:
    """Set every entry of the shard index to this range."""

    def edit(shard: bytearray) -> bytearray:
        shard[: 16 * ENTRIES] = struct.pack("<2Q", start, stop) * ENTRIES
        return shard

    return edit


def with_index(make: Callable[[bytes], bytes]) -> Edit:
    """Replace every minishard index by what *make* returns for it."""

    def edit(shard: bytearray) -> bytes:
        table, tail = b"", b""
        for number in range(ENTRIES):
            start, stop = entry(shard, number)
            index = make(bytes(shard[start:stop]))
            at = len(shard) + len(tail) - 16 * ENTRIES
            table += struct.pack("<2Q", at, at + len(index))
            tail += index
        return table + bytes(shard[16 * ENTRIES :]) + tail

    return edit


def with_sizes(size: int) -> Callable[[bytes], bytes]:
    """Return an index whose chunks have *size* bytes."""

    def make(index: bytes) -> bytes:
        count = len(index) // 24
        return index[: 16 * count] + struct.pack("<Q", size) * count

    return make


def with_first_offset(offset: int) -> Callable[[bytes], bytes]:
    """Return an index whose first chunk lies at *offset*."""

    def make(index: bytes) -> bytes:
        count = len(index) // 24
        return index[: 8 * count] + struct.pack("<Q", offset) + index[8 * count + 8 :]

    return make


async def answer_of(directory: Path, spec: VolumeSpec, edit: Edit) -> tuple[int, bytes, Truth]:
    """Request all blocks of a volume whose shard was edited; return status and body."""
    truth = write_truth(directory / "em", spec)
    shard = shard_of(directory)
    shard.write_bytes(edit(bytearray(shard.read_bytes())))
    before = psutil.Process().memory_info().rss
    async with serving(config_text({"em": directory / "em"}, limits_section()), directory, {}) as server:
        query = ",".join(str(number) for block in truth.blocks for number in block)
        url = f"{server.url}{server.node}/em/specificblocks?compression=uncompressed&blocks={query}"
        async with server.session.get(url) as answer:
            try:
                status, body = answer.status, await answer.read()
            except aiohttp.ClientPayloadError:
                status, body = CUT_OFF, b""
    assert psutil.Process().memory_info().rss - before < 150 * MIB
    return status, body, truth


@pytest.mark.parametrize(
    "edit",
    [
        set_entry(8, 4),
        set_entry(FAR, FAR + 24),
        set_entry(0, 2**40),
        set_entry(2**64 - 8, 2**64 - 1),
        set_entry(0, 23),
        set_entry(10**9, 10**9 + 24),
        with_index(lambda index: index[:-1]),
        with_index(lambda _: bytes(24 * 100_000)),
        with_index(with_sizes(FAR)),
        with_index(with_sizes(2**40)),
        with_index(with_sizes(2**64 - 1)),
        with_index(with_first_offset(FAR)),
        with_index(with_first_offset(2**64 - 1)),
        with_index(with_first_offset(10**12)),
        with_index(with_sizes(64**3 - 1)),
        lambda shard: shard[:40],
        lambda shard: shard[: len(shard) // 2],
        lambda _: b"",
        lambda _: b"<html>this is no shard</html>" * 100,
    ],
)
async def test_b10_indexes_that_lie_are_damage_and_cost_nothing(tmp_path: Path, edit: Edit) -> None:
    status, body, _ = await answer_of(tmp_path, RAW_INDEX, edit)
    assert status in {502, CUT_OFF}, body[:200]
    assert status == CUT_OFF or b"0.shard" in body


async def test_b10_chunks_of_no_size_and_unknown_ids_are_absent_or_damage(tmp_path: Path) -> None:
    status, body, _ = await answer_of(tmp_path, RAW_INDEX, with_index(with_sizes(0)))
    assert status == 502, body[:200]


async def test_f12_empty_entries_and_minishards_are_absent(tmp_path: Path) -> None:
    for number, edit in enumerate((set_entry(0, 0), set_entry(77, 77), with_index(lambda _: b""))):
        status, body, _ = await answer_of(tmp_path / str(number), RAW_INDEX, edit)
        assert (status, body) == (200, b"")


GZIP = replace(
    SHARDED, sharding=sharding(shard_bits=0, minishard_index_encoding="gzip", data_encoding="gzip")
)


@pytest.mark.parametrize(
    "make",
    [
        lambda _: gzip.compress(bytes(256 * MIB // 4)),
        gzip.compress,
        lambda index: index[:-4] + bytes(4),
        lambda index: index[: len(index) // 2],
        lambda index: index + b"junk",
        lambda _: b"\x1f\x8b",
        lambda _: b"not gzip at all, and long enough",
    ],
    ids=["bomb", "nested", "bad-crc", "cut", "trailing", "head-only", "no-gzip"],
)
async def test_b9_minishard_indexes_that_do_not_unpack_are_damage(
    tmp_path: Path, make: Callable[[bytes], bytes]
) -> None:
    status, body, truth = await answer_of(tmp_path, GZIP, with_index(make))
    if status == 200:  # zlib takes what follows a whole member for padding; what was read is right
        assert truth.wrong_in(truth.blocks, body) == []
    else:
        assert status == 502
        assert b"0.shard" in body


@pytest.mark.parametrize("spec", [RAW_INDEX, GZIP], ids=["raw", "gzip"])
async def test_b9_a_shard_that_is_compressed_as_a_whole_is_called_that(
    tmp_path: Path, spec: VolumeSpec
) -> None:
    for mtime in (0, None):
        status, body, _ = await answer_of(tmp_path / str(mtime), spec, partial(gzip.compress, mtime=mtime))
        assert status == 502
        assert b"the whole shard file is compressed by gzip" in body


async def test_b9_a_bomb_in_place_of_a_chunk_is_damage(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(512 * MIB // 4))

    def edit(shard: bytearray) -> bytes | bytearray:
        def make(packed: bytes) -> bytes:
            index = gzip.decompress(packed)
            count = len(index) // 24
            ids = index[: 8 * count]
            offsets = struct.pack("<Q", len(shard) - 16 * ENTRIES) + struct.pack("<q", 0) * (count - 1)
            sizes = struct.pack("<Q", len(bomb)) + struct.pack("<Q", 1) * (count - 1)
            return gzip.compress(ids + offsets + sizes)

        padded = bytearray(bytes(shard) + bomb)
        return with_index(make)(padded)

    def with_bomb(shard: bytearray) -> bytes:
        return bytes(edit(shard))

    status, body, _ = await answer_of(tmp_path, GZIP, with_bomb)
    assert status == 502, body[:200]


def scale_key(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda info: info["scales"][0].update(key=key)


@pytest.mark.parametrize(
    "key",
    [
        "../em2/s0",
        "../../outside",
        "s0/../../em2/s0",
        "/etc",
        "//host/s0",
        "s3://other/bucket",
        "http://169.254.169.254/latest",
        "file:///etc",
        "./../em2/s0",
        "..",
        "a\\..\\..\\b",
        "%2e%2e/em2/s0",
        "s0\x00",
        "s0?x=y",
        "s0#x",
        "s0\r\nX: y",
    ],
)
async def test_b12_no_key_leads_out_of_the_root(tmp_path: Path, key: str) -> None:
    spec = VolumeSpec(size=(64, 64, 64))
    for name in ("em", "em2"):
        write_truth(tmp_path / "bucket" / name, spec)
    file = tmp_path / "bucket" / "em" / "info"
    info = json.loads(file.read_bytes())
    scale_key(key)(info)
    file.write_text(json.dumps(info))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        for number, kind in enumerate(("http", "s3")):
            root = f"{bucket.url}/em" if kind == "http" else f"s3://{BUCKET}/em"
            text = config_text({}, store_section(kind, bucket, more=f'root = "{root}"') + limits_section())
            directory = tmp_path / str(number)
            directory.mkdir()
            async with serving(text, directory, {}) as server:
                assert await block_of(server) in {b"", None}
        root = f'root = "{tmp_path}/bucket/em"\n'
        text = config_text({"em": tmp_path / "bucket" / "em"}, root + limits_section())
        async with serving(text, tmp_path, {}) as server:
            assert await block_of(server) in {b"", None}
        beyond = [asked.key for asked in bucket.asked if not asked.key.startswith("em/")]
        assert [one for one in beyond if one not in {"", "faulty"}] == []  # S3's bucket is asked its region
        assert all("x" not in asked.headers for asked in bucket.asked)


async def block_of(server: Server) -> bytes | None:
    """Return the only block of an answer."""
    async with server.session.get(f"{server.url}{server.node}/em/specificblocks?blocks=0,0,0") as answer:
        body = await answer.read()
        return body if answer.status == 200 else None


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
        b"{}",
        b"null",
        b'{"type":"image"} ' + b" " * 1000 + b"x",
        b'{"scales": ' + b"9" * 10_000 + b"}",
    ],
)
async def test_b11_info_that_makes_no_sense_costs_that_volume_only(tmp_path: Path, text: bytes) -> None:
    write_truth(tmp_path / "good", VolumeSpec(size=(64, 64, 64)))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "info").write_bytes(text)
    stores = {"bad": tmp_path / "bad", "em": tmp_path / "good"}
    async with serving(config_text(stores, limits_section()), tmp_path, {}) as server:
        assert await block_of(server)
        status, reason = await server.error("/readyz")
        assert status == 503
        assert reason.count("\n") == 1
        assert "store bad" in reason


async def test_b11_a_hundred_megabytes_of_info_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    with (tmp_path / "bad" / "info").open("wb") as file:
        file.truncate(100 * MIB)
    before = psutil.Process().memory_info().rss
    async with serving(config_text({"bad": tmp_path / "bad"}, limits_section()), tmp_path, {}) as server:
        assert (await server.error("/readyz"))[0] == 503
    assert psutil.Process().memory_info().rss - before < 50 * MIB
