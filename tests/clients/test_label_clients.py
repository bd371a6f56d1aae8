"""Requests that clients send to a segmentation, one by one, and how each client reads the answers.

neuroglancer (datasource/dvid/backend.ts, c0f79b1), lowtis (DVIDBlockFetch.cpp, 41af1bd), libdvid
(DVIDNodeService.cpp, c3cd212), neuclease (labelmap/_labelmap.py, e113d84), NeuTu (zdvidreader.cpp, 296bb71)
and dvidtools (fetch.py, 81bc387).
"""

import gzip
import json
import struct
from collections.abc import AsyncIterator
from itertools import product
from urllib.parse import quote

import lz4.block
import numpy as np
import pytest
import pytest_asyncio

from tests.blockstream import parse_stream
from tests.dvid.labelmap.served import serving_labels
from tests.label_chunks import EIGHT, draw_cells
from tests.label_payloads import read_block, read_body
from tests.label_volumes import LabelScale, cut
from tests.serving import UUID, Server
from tests.volumes import XYZ

CELLS = draw_cells(60, EIGHT._replace(x=150, y=130, z=70))
HALF = np.ascontiguousarray(CELLS[::2, ::2, ::2])
HOLE = (1, 0, 0)
LABELS = CELLS.copy()
LABELS[:64, :64, 64:128] = 0
NODE = f"/api/node/{UUID}"
BLOCK = (64, 64, 64)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "http://127.0.0.1:9000"
NEUROGLANCER = {"User-Agent": "Mozilla/5.0", "Accept-Encoding": "gzip, deflate, br", "Origin": PAGE}
LIBDVID = {"Accept": "*/*", "Content-Type": "application/octet-stream", "Content-Length": "0"}
JSON_BODY = {"Accept": "*/*", "Content-Type": "application/json"}
PYTHON = {
    "User-Agent": "python-requests/2.32",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    scales = LabelScale(CELLS, holes=[HOLE]), LabelScale(HALF, (16, 16, 16))
    directory = tmp_path_factory.mktemp("labels")
    async with serving_labels(directory, *scales, label_type="both") as running:
        yield running


def at(block: XYZ) -> XYZ:
    return block[0] * 64, block[1] * 64, block[2] * 64


async def ask(
    server: Server, path: str, headers: dict[str, str], body: bytes | None = None, status: int = 200
) -> bytes:
    async with server.ask("GET", f"{NODE}/{path}", headers, body) as response:
        answer = await response.read()
        assert response.status == status, answer[:300]
        return answer


async def test_neuroglancer_opens_it_and_reads_gzipped_chunks(server: Server) -> None:
    [repo] = json.loads(await server.get("/api/repos/info")).values()
    extended = repo["DataInstances"]["seg"]["Extended"]
    assert extended["MaxDownresLevel"] >= 1
    assert extended["Values"][0]["DataType"] == "uint64"
    for scale, labels, size in ((0, LABELS, BLOCK), (1, HALF, BLOCK), (0, LABELS, (128, 128, 16))):
        for cell in product(range(2), range(2), range(2)):
            x, y, z = (n * side for n, side in zip(cell, size, strict=True))
            path = f"seg/raw/0_1_2/{size[0]}_{size[1]}_{size[2]}/{x}_{y}_{z}"
            query = f"?compression=googlegzip&scale={scale}"
            async with server.ask("GET", f"{NODE}/{path}{query}", NEUROGLANCER) as response:
                body = await response.read()
                assert response.headers["Content-Encoding"] == "gzip"
                assert response.headers["Access-Control-Allow-Origin"] == PAGE
            decoded = gzip.decompress(body)
            assert len(decoded) % 4 == 0  # it makes a Uint32Array of it
            assert (read_body(body, "googlegzip", size) == cut(labels, (0, 0, 0), (x, y, z), size)).all()


async def test_neuroglancer_reads_labelblk_scales(server: Server) -> None:
    for name, labels in (("seg_blk", LABELS), ("seg_blk_1", HALF)):
        path = f"{name}/raw/0_1_2/64_64_64/0_0_0?compression=googlegzip"
        body = await ask(server, path, NEUROGLANCER)
        assert (read_body(body, "googlegzip", BLOCK) == cut(labels, (0, 0, 0), (0, 0, 0), BLOCK)).all()


@pytest.mark.parametrize("more", ["", "&supervoxels=true", "&scale=1"])
async def test_lowtis_reads_blocks_of_a_labelmap(server: Server, more: str) -> None:
    for _ in range(3):
        info = json.loads(await ask(server, "seg/info?app=lowtis", LIBDVID))
        assert info["Base"]["TypeName"] == "labelmap"
        assert info["Extended"]["BlockSize"] == [64, 64, 64]
    blocks = list(product(range(-1, 4), range(-1, 3), range(2)))
    asked = ",".join(str(n) for block in blocks for n in block)
    body = await ask(server, f"seg/specificblocks?blocks={asked}{more}&app=lowtis", LIBDVID)
    labels = HALF if "scale" in more else LABELS
    frames = parse_stream(body)
    assert frames
    assert HOLE not in [block for block, _ in frames] or "scale" in more
    for block, payload in frames:
        assert struct.unpack_from("<3I", gzip.decompress(payload)) == (8, 8, 8)
        assert (read_block(payload, "blocks") == cut(labels, (0, 0, 0), at(block), BLOCK)).all()


@pytest.mark.parametrize(("name", "labels"), [("seg_blk", LABELS), ("seg_blk_1", HALF)])
async def test_lowtis_reads_boxes_of_labelblk(server: Server, name: str, labels: np.ndarray) -> None:
    info = json.loads(await ask(server, f"{name}/info?app=lowtis", LIBDVID))
    assert info["Base"]["TypeName"] == "labelblk"
    body = await ask(server, f"{name}/blocks/192_128_64/-64_0_0?compression=lz4&scale=0&app=lowtis", LIBDVID)
    frames = parse_stream(body)
    assert frames
    for block, payload in frames:
        assert len(lz4.block.decompress(payload, 2**21)) == 2**21
        assert (read_block(payload, "lz4") == cut(labels, (0, 0, 0), at(block), BLOCK)).all()


async def test_libdvid_reads_blocks_boxes_points_and_mappings(server: Server) -> None:
    for scale, more in product((0, 1), ("", "&supervoxels=true")):
        labels = LABELS if scale == 0 else HALF
        path = f"seg/blocks/128_64_64/0_64_0?compression=blocks&throttle=on&scale={scale}{more}"
        for block, payload in parse_stream(await ask(server, path, LIBDVID)):
            assert (read_block(payload, "blocks") == cut(labels, (0, 0, 0), at(block), BLOCK)).all()
    for size, start in (((70, 50, 40), (10, 20, 30)), ((1, 1, 1), (149, 129, 69)), ((64, 64, 64), HOLE)):
        sides, place = ("_".join(map(str, numbers)) for numbers in (size, start))
        body = await ask(server, f"seg/raw/0_1_2/{sides}/{place}?throttle=on&compression=lz4", LIBDVID)
        assert (read_body(body, "lz4", size) == cut(LABELS, (0, 0, 0), start, size)).all()
    ids = b"[5, 9007199254740993]"
    assert json.loads(await ask(server, "seg/mapping?app=libdvid", JSON_BODY, ids)) == json.loads(ids)
    async with server.ask("HEAD", f"{NODE}/seg/sparsevol/5", LIBDVID) as response:
        assert response.status == 400  # it raises: nobody knows whether the body exists


async def test_neuclease_reads_blocks_labels_and_mappings(server: Server) -> None:
    version = json.loads(await server.get("/api/server/info"))["DVID Version"]
    assert version.startswith("v")
    assert all(part.isdigit() for part in version[1:].replace("-", ".").split(".")[:4])
    box = await ask(server, "seg/blocks/192_192_128/0_0_0?compression=blocks", PYTHON)
    blocks = [block for block, _ in parse_stream(box)]
    assert set(blocks) == set(product(range(3), range(3), range(2))) - {HOLE}
    asked = quote(",".join(str(n) for block in [*blocks, HOLE] for n in block))
    frames = parse_stream(await ask(server, f"seg/specificblocks?blocks={asked}", PYTHON))
    assert [block for block, _ in frames] == blocks
    for block, payload in frames:
        assert (read_block(payload, "blocks") == cut(LABELS, (0, 0, 0), at(block), BLOCK)).all()
    points = [[x, y, z] for x, y, z in product(range(0, 150, 9), range(0, 130, 9), range(0, 70, 9))]
    expected = [int(LABELS[z, y, x]) for x, y, z in points]
    body = json.dumps(points).encode()
    assert json.loads(await ask(server, "seg/labels", PYTHON, body)) == expected
    assert json.loads(await ask(server, "seg/label/3_4_5?scale=1", PYTHON)) == {"Label": int(HALF[5, 4, 3])}
    ids = json.dumps(expected).encode()
    assert json.loads(await ask(server, "seg/mapping", PYTHON, ids)) == expected
    assert await ask(server, "seg/mappings?format=binary", PYTHON) == b""
    assert await ask(server, "seg/supervoxel-splits", PYTHON) == b"[]"
    for endpoint in (
        "maxlabel",
        "sizes",
        "size/5",
        "listlabels",
        "sparsevol/5",
        "supervoxels/5",
        "lastmod/5",
    ):
        refusal = await ask(server, f"seg/{endpoint}", PYTHON, status=400)
        assert b"is not label indexed (IndexedLabels=false)" in refusal


async def test_neutu_and_dvidtools_ask_for_labels(server: Server) -> None:
    info = json.loads(await ask(server, "seg/info", LIBDVID))
    assert info["Extended"]["MaxPoint"] == [149, 129, 69]
    assert info["Extended"]["VoxelSize"] == [8, 8, 8]
    for more in ("", "?supervoxels=true"):
        answer = json.loads(await ask(server, f"seg/label/140_120_60{more}", LIBDVID))
        assert answer["Label"] == int(LABELS[60, 120, 140])
    body = b"[[140, 120, 60],[70, 5, 5],[999, 0, 0]]"
    found = json.loads(await ask(server, "seg/labels", JSON_BODY, body))
    assert found == [int(LABELS[60, 120, 140]), 0, 0]
