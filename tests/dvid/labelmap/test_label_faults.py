"""Damaged, missing and unreadable chunks of labels: never a wrong label, and never 0 for an error."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from tests.blockstream import parse_stream
from tests.dvid.labelmap.served import serving_labels
from tests.faulty import faults
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import limits_section, store_section
from tests.label_chunks import EIGHT, draw_cells, write_by_hand
from tests.label_payloads import read_block, read_body
from tests.label_volumes import LabelScale, write_labels
from tests.serving import Server, config_text, serving
from tests.types import Request
from tests.volumes import sharding

SIDE = 64
CELLS = draw_cells(40, EIGHT._replace(x=128, y=64, z=64))
GOOD = write_by_hand(np.ascontiguousarray(CELLS[:, :, :64]), EIGHT, [1, *[0] * 511])
"""The first chunk; the indexes of its first sub-block have a width."""
NO_CACHE = "[cache]\nmemory = 0\n"

REQUESTS = [
    Request("specificblocks?blocks={block},0,0"),
    Request("specificblocks?blocks={block},0,0&compression=lz4"),
    Request("specificblocks?blocks={block},0,0&compression=uncompressed"),
    Request("blocks/64_64_64/{x}_0_0?compression=blocks"),
    Request("blocks/64_64_64/{x}_0_0?compression=gzip"),
    *(
        Request(f"raw/0_1_2/64_64_64/{{x}}_0_0?compression={name}")
        for name in ("", "lz4", "gzip", "google", "googlegzip")
    ),
    Request("raw/0_1_2/3_3_3/{x}_8_8"),
    Request("raw/xy/32_32/{x}_0_3"),
    Request("isotropic/yz/32_32/{x}_0_3"),
    Request("pseudocolor/xy/32_32/{x}_0_3"),
    Request("label/{x}_1_2"),
    Request("labels", "[[{x},1,2],[{x},5,5]]"),
    Request("specificblocks?blocks=0,0,0&scale=1"),
    Request("label/{half}_0_0?scale=1"),
]
"""Requests for the block {block} of two; those of scale 1 need both."""


def word(at: int, value: int) -> Callable[[bytes], bytes]:
    """Return a damage that changes one word."""
    return lambda good: good[: 4 * at] + struct.pack("<I", value) + good[4 * at + 4 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "an error page": lambda _: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "cut by 3 bytes": lambda good: good[:-3],
    "cut by a label": lambda good: good[:-8],
    "cut": lambda good: good[:2000],
    "no headers": lambda good: good[:400],
    "another first word": word(0, 2),
    "a width of 3 bits": word(1, 3 << 24),
    "indexes past the end": word(2, 0xFFFFFF),
    "a table past the end": word(1, 0xFFFFF0),
    "wild headers": lambda good: good[:4] + b"\xff" * 4096 + good[4100:],
}


async def ask(server: Server, request: Request, block: int) -> tuple[int, bytes]:
    """Return status and body of the answer to a request for one block."""
    numbers = {"block": block, "x": SIDE * block, "half": SIDE // 2 * block}
    path, body = (text.format(**numbers) for text in request)
    async with server.ask("GET", f"{server.node}/seg/{path}", body=body.encode() or None) as response:
        return response.status, await response.read()


@pytest.mark.parametrize("memory", ["", NO_CACHE])
async def test_a_damaged_chunk_is_a_502_and_never_a_label(memory: str, tmp_path: Path) -> None:
    scale = LabelScale(CELLS)
    async with serving_labels(tmp_path, scale, more=memory) as server:
        file = tmp_path / "volume" / "s0" / scale.chunk_name((0, 0, 0))
        for name, damage in DAMAGES.items():
            file.write_bytes(damage(GOOD))
            for request in REQUESTS:
                status, body = await ask(server, request, 0)
                assert status == 502, (name, request, status, body[:100])
                assert b"0-64_0-64_0-64: " in body
        for request in REQUESTS[:-2]:
            assert (await ask(server, request, 1))[0] == 200, request
        file.write_bytes(GOOD)
        for request in REQUESTS:
            assert (await ask(server, request, 0))[0] == 200, request


async def test_a_bucket_that_is_down_is_a_503_and_never_zeros(tmp_path: Path) -> None:
    write_labels(tmp_path / "bucket" / "seg", LabelScale(CELLS))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        sections = [store_section("http", bucket, "seg"), limits_section()]
        async with serving(config_text({}, "\n".join(sections)), tmp_path) as server:
            bucket.rule("seg/s0/*", faults.BROKEN)
            for request in REQUESTS:
                status, body = await ask(server, request, 0)
                assert status == 503, (request, status, body[:100])
            bucket.heal()
            for request in REQUESTS:
                assert (await ask(server, request, 0))[0] == 200, request


async def test_a_missing_chunk_is_omitted_from_blocks_and_zero_elsewhere(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LabelScale(CELLS, holes=[(0, 0, 0)])) as server:
        for request in REQUESTS[:5]:
            assert await ask(server, request, 0) == (200, b"")
        for request, compression in zip(
            REQUESTS[5:10], ("", "lz4", "gzip", "google", "googlegzip"), strict=True
        ):
            _, body = await ask(server, request, 0)
            assert not read_body(body, compression, (64, 64, 64)).any()
        _, body = await ask(server, Request("raw/0_1_2/128_64_64/0_0_0"), 0)
        labels = read_body(body, "", (128, 64, 64))
        assert not labels[..., :64].any()
        assert (labels[..., 64:] == CELLS[..., 64:]).all()
        assert await ask(server, Request("label/{x}_1_2"), 0) == (200, b'{"Label": 0}')
        assert (await ask(server, Request("labels", "[[{x},1,2],[64,1,2]]"), 0))[1] == (
            b"[0,%d]" % CELLS[2, 1, 64]
        )


async def test_the_padding_of_a_clipped_chunk_is_never_shown(tmp_path: Path) -> None:
    labels = np.ascontiguousarray(CELLS[:50, :61, :59])
    padded = write_by_hand(labels, EIGHT, padding=1)
    scale = LabelScale(labels)
    async with serving_labels(tmp_path, scale) as server:
        (tmp_path / "volume" / "s0" / scale.chunk_name((0, 0, 0))).write_bytes(padded)
        expected = np.zeros((64, 64, 64), np.uint64)
        expected[:50, :61, :59] = labels
        for compression in ("blocks", "lz4", "gzip", "uncompressed"):
            _, body = await ask(server, Request(f"specificblocks?blocks=0,0,0&compression={compression}"), 0)
            [(_, payload)] = parse_stream(body)
            assert (read_block(payload, compression) == expected).all()
        for compression in ("", "lz4", "gzip", "google", "googlegzip"):
            _, body = await ask(server, Request(f"raw/0_1_2/64_64_64/0_0_0?compression={compression}"), 0)
            assert (read_body(body, compression, (64, 64, 64)) == expected).all()
        _, body = await ask(server, Request("raw/xy/64_64/0_0_49"), 0)
        pixels = imagecodecs.png_decode(body).astype(">u2", order="C").view("<u8")[..., 0]
        assert (pixels == expected[49]).all()
        for x, y, z in ((59, 0, 0), (0, 61, 0), (0, 0, 50), (58, 60, 49)):
            _, body = await ask(server, Request(f"label/{x}_{y}_{z}"), 0)
            assert json.loads(body)["Label"] == expected[z, y, x]


@pytest.mark.parametrize("suffix", ["", ".gz"])
async def test_googlegzip_of_a_matching_chunk_holds_the_stored_bytes(suffix: str, tmp_path: Path) -> None:
    scale = LabelScale(CELLS)
    async with serving_labels(tmp_path, scale) as server:
        file = tmp_path / "volume" / "s0" / scale.chunk_name((1, 0, 0))
        stored = file.read_bytes()
        file.unlink()
        compressed = gzip.compress(stored, mtime=0)
        file.with_name(file.name + suffix).write_bytes(compressed if suffix else stored)
        _, body = await ask(server, Request("raw/0_1_2/64_64_64/{x}_0_0?compression=googlegzip"), 1)
        assert gzip.decompress(body) == stored
        assert not suffix or body == compressed


async def test_googlegzip_of_a_gzipped_chunk_in_a_shard_is_a_part_of_the_shard(tmp_path: Path) -> None:
    spec = sharding(data_encoding="gzip")
    async with serving_labels(tmp_path, LabelScale(CELLS, sharding=spec)) as server:
        [shard] = (tmp_path / "volume" / "s0").glob("*.shard")
        for block in (0, 1):
            path = "raw/0_1_2/64_64_64/{x}_0_0?compression=googlegzip"
            _, body = await ask(server, Request(path), block)
            assert body in shard.read_bytes()
            expected = CELLS[:, :, 64 * block :][:, :, :64]
            assert (read_body(body, "googlegzip", (64, 64, 64)) == expected).all()
