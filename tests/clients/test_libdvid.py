"""libdvid's requests, byte for byte: no User-Agent, a Content-Type on every GET, no compression.

(DVIDConnection.cpp:201-264, DVIDNodeService.cpp:100-597; libdvid-cpp c3cd212)
"""

import json
from itertools import product

import numpy as np
import pytest

from tests.blockstream import grey_block, parse_stream, raw_block
from tests.clients.conftest import Served
from tests.serving import UUID
from tests.volumes import expected_box

HEADERS = {"Accept": "*/*", "Content-Type": "application/octet-stream", "Content-Length": "0"}
WHO = "u=tester&app=libdvid"


async def ask(served: Served, path: str, status: int = 200) -> bytes:
    joined = "&" if "?" in path else "?"
    async with served.server.ask("GET", f"/api{path}{joined}{WHO}", HEADERS) as response:
        body = await response.read()
        assert response.status == status, body[:300]
        assert "Content-Encoding" not in response.headers
        return body


@pytest.mark.parametrize("node", [UUID, UUID[:4], f"{UUID[:4]}:master"])
async def test_it_learns_what_it_needs(em: Served, node: str) -> None:
    await ask(em, "/server/info")
    info = json.loads(await ask(em, f"/node/{node}/em/info"))
    sides = info["Extended"]["BlockSize"]
    assert len(set(sides)) == 1
    assert sides[0] >= 1
    metadata = json.loads(await ask(em, f"/node/{node}/em/metadata"))
    assert [(axis["Label"], axis["Size"], axis["Offset"]) for axis in metadata["Axes"]] == [
        ("X", 512, 0),
        ("Y", 512, 0),
        ("Z", 128, 0),
    ]
    assert metadata["Properties"]["Values"][0]["DataType"] == "uint8"


@pytest.mark.parametrize("compression", ["", "&compression=uncompressed"])
async def test_it_reads_blocks_wherever_they_are(holed: Served, compression: str) -> None:
    wanted = list(product(range(-1, 4), range(-1, 4), range(-1, 3)))
    query = ",".join(str(n) for block in wanted for n in block)
    body = await ask(holed, f"/node/{UUID}/holed/specificblocks?blocks={query}{compression}")
    frames = parse_stream(body)
    assert {block for block, _ in frames} == set(product(range(3), range(3), range(2))) - {(1, 1, 0)}
    for block, payload in frames:
        start = (block[0] * 64, block[1] * 64, block[2] * 64)
        expected = expected_box(holed.truth[0], (0, 0, 0), start, (64, 64, 64))[..., 0]
        voxels = raw_block(payload) if compression else grey_block(payload)
        assert np.abs(voxels.astype(int) - expected).mean() < 2


async def test_it_reads_a_subvolume_and_a_row(em: Served) -> None:
    path = f"/node/{UUID}/em/subvolblocks/128_64_64/64_0_0?compression=jpeg&throttle=on&scale=0"
    assert [block for block, _ in parse_stream(await ask(em, path))] == [(1, 0, 0), (2, 0, 0)]
    row = np.frombuffer(await ask(em, f"/node/{UUID}/em/blocks/0_0_0/2"), np.uint8)
    blocks = row.reshape(2, 64, 64, 64).transpose(0, 3, 2, 1)
    for x, block in enumerate(blocks):
        expected = em.truth[0][x * 64 : x * 64 + 64, :64, :64, 0]
        assert np.abs(block.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("count", [4096, 30_000])
async def test_a_request_can_name_thousands_of_blocks(em: Served, count: int) -> None:
    query = ",".join(f"{1000 + n % 9000},{1000 + n // 9000},1000" for n in range(count))
    assert await ask(em, f"/node/{UUID}/em/specificblocks?blocks={query}") == b""


async def test_an_unknown_name_is_400_and_says_so(em: Served) -> None:
    assert b"invalid data instance name" in await ask(em, f"/node/{UUID}/nope/info", 400)
    assert b"could not find UUID" in await ask(em, "/node/zzz/em/info", 400)
