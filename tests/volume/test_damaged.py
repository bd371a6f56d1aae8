"""A damaged chunk is answered with a 502 that names it, is never cached, and never stops the server."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from tests.blockstream import parse_stream
from tests.encoders import COMBINATIONS, ENCODERS, draw_voxels
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, sharding, write_volume

SIDE = (64, 64, 64)
ONE_EACH = {encoding: (data_type, channels) for encoding, data_type, channels in COMBINATIONS}


def write_one_chunk(directory: Path, encoding: str, data: bytes) -> Path:
    """A volume of one chunk, in a file whose path is returned."""
    data_type, channels = ONE_EACH[encoding]
    scale = {
        "key": "s0",
        "resolution": [8, 8, 8],
        "size": SIDE,
        "chunk_sizes": [SIDE],
        "encoding": encoding,
        "compressed_segmentation_block_size": [8, 8, 8],
    }
    info = {"type": "image", "data_type": data_type, "num_channels": channels, "scales": [scale]}
    (directory / "s0").mkdir(parents=True)
    (directory / "info").write_text(json.dumps(info))
    chunk = directory / "s0" / "0-64_0-64_0-64"
    chunk.write_bytes(data)
    return chunk


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_a_damaged_chunk_of_any_encoding_is_a_502_until_it_is_fixed(
    encoding: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = ENCODERS[encoding](draw_voxels(SIDE, *ONE_EACH[encoding]))
    chunk = write_one_chunk(tmp_path / "em", encoding, b"")
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0&compression=uncompressed"
        for bad in (b"", b"\0", b"not a chunk at all" * 9, good[:30], bytes(len(good) - 1)):
            chunk.write_bytes(bad)
            status, text = await server.error(path)
            assert status == 502, (encoding, bad[:20], text)
            assert f"{tmp_path}/em/s0/0-64_0-64_0-64: " in text
        chunk.write_bytes(good)
        ((block, payload),) = parse_stream(await server.get(path))
        assert block == (0, 0, 0)
        assert any(payload)
    assert "is a bug of dvidpc" not in caplog.text


def colour_jpeg(_: bytes) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.zeros((4096, 64, 3), np.uint8), colorspace="RGB"))


def huge_jpeg(good: bytes) -> bytes:
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", 65500, 65500) + good[at + 4 :]


def unclipped_jpeg(_: bytes) -> bytes:
    return ENCODERS["jpeg"](draw_voxels((64, 64, 70), "uint8", 1))


@pytest.mark.parametrize("damage", [colour_jpeg, huge_jpeg, unclipped_jpeg, lambda good: good[:-40]])
@pytest.mark.parametrize("compression", ["jpeg", "uncompressed"])
async def test_a_jpeg_that_is_not_the_chunk_is_a_502(
    damage: Callable[[bytes], bytes], compression: str, tmp_path: Path
) -> None:
    good = ENCODERS["jpeg"](draw_voxels(SIDE, "uint8", 1))
    data_type, channels = ONE_EACH["jpeg"]
    assert (data_type, channels) == ("uint8", 3)
    chunk = write_one_chunk(tmp_path / "em", "jpeg", damage(good))
    info = json.loads((tmp_path / "em" / "info").read_text()) | {"num_channels": 1}
    (tmp_path / "em" / "info").write_text(json.dumps(info))
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0&compression={compression}"
        status, text = await server.error(path)
        assert (status, f"{chunk}: " in text) == (502, True), text


async def test_gzip_that_is_damaged_or_endless_is_a_502(tmp_path: Path) -> None:
    voxels = draw_voxels(SIDE, *ONE_EACH["raw"])
    chunk = write_one_chunk(tmp_path / "em", "raw", b"")
    chunk.unlink()
    packed = chunk.with_name(chunk.name + ".gz")
    whole = gzip.compress(ENCODERS["raw"](voxels))
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0&compression=uncompressed"
        for bad in (whole[:-20], b"\x1f\x8b nothing", gzip.compress(bytes(2**26)), gzip.compress(b"short")):
            packed.write_bytes(bad)
            assert (await server.error(path))[0] == 502
        packed.write_bytes(whole)
        assert len(parse_stream(await server.get(path))) == 1


@pytest.mark.parametrize("entry", [(2**63, 2**63 + 50), (100, 50), (0, 2**40), (8, 2**62)])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
async def test_an_absurd_entry_of_a_shard_index_is_a_502(
    entry: tuple[int, int], encoding: str, tmp_path: Path
) -> None:
    spec = VolumeSpec(
        size=SIDE,
        sharding=sharding(preshift_bits=0, minishard_bits=0, shard_bits=0, minishard_index_encoding=encoding),
    )
    write_volume(tmp_path / "em", spec)
    shard = tmp_path / "em" / "s0" / "0.shard"
    good = shard.read_bytes()
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0&compression=uncompressed"
        shard.write_bytes(struct.pack("<QQ", *entry) + good[16:])
        status, text = await server.error(path)
        assert (status, "0.shard" in text) == (502, True), text


@pytest.mark.parametrize("row", [0, 1, 2])
async def test_an_absurd_entry_of_a_minishard_index_is_no_data(row: int, tmp_path: Path) -> None:
    """A wild id is a chunk that is not there; a wild offset or size is a 502."""
    spec = VolumeSpec(
        size=SIDE,
        sharding=sharding(preshift_bits=0, minishard_bits=0, shard_bits=0, minishard_index_encoding="raw"),
    )
    write_volume(tmp_path / "em", spec)
    shard = tmp_path / "em" / "s0" / "0.shard"
    good = bytearray(shard.read_bytes())
    start, _ = struct.unpack_from("<QQ", good)
    struct.pack_into("<Q", good, 16 + start + 8 * row, 2**60)
    shard.write_bytes(good)
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/specificblocks?blocks=0,0,0&compression=uncompressed"
        if row == 0:
            assert parse_stream(await server.get(path)) == []
        else:
            assert (await server.error(path))[0] == 502
