"""Random segmentations of every kind over HTTP: every endpoint says what another library reads.

`DVIDPC_DRAWS=5000` draws 5,000 volumes; the default is enough for every push.
"""

import asyncio
import itertools
import json
import random
import tempfile
from pathlib import Path

import imagecodecs
import mmh3
import numpy as np
from numpy.typing import NDArray

from tests.blockstream import XYZ, parse_stream
from tests.drawing import drawing
from tests.drawn import DrawnVolume, drawn_segmentations, write
from tests.label_payloads import Labels, read_block, read_body
from tests.label_volumes import cut
from tests.serving import Server, config_text, serving

PAYLOADS = ("blocks", "lz4", "gzip", "uncompressed")
BODIES = ("", "lz4", "gzip", "google", "googlegzip")


@drawing(drawn_segmentations(), default=24, together=4)
def test_every_endpoint_of_any_segmentation_is_right(volumes: list[DrawnVolume], memory: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(check_all(volumes, Path(name), memory))


async def check_all(volumes: list[DrawnVolume], directory: Path, memory: str) -> None:
    sections = [f'[cache]\nmemory = "{memory}"\n']
    truths = []
    for n, volume in enumerate(volumes):
        truth = write(volume, directory / str(n) / "volume")
        stored = truth.voxels[..., 0].T
        labels = stored.view(f"u{stored.itemsize}").astype(np.uint64)
        truths.append((labels, truth.known.T))
        sections.append(
            f'[store.v{n}]\nengine = "ngprecomputed"\ninstance = "v{n}"\n'
            f'ref = "file://{directory}/{n}/volume"\nlabel_type = "both"\n'
        )
    async with serving(config_text({}, "\n".join(sections)), directory) as server:
        for n, (volume, (labels, known)) in enumerate(zip(volumes, truths, strict=True)):
            try:
                await check_volume(server, f"v{n}", volume, labels, known)
            except AssertionError as error:
                raise AssertionError(str(volume)) from error


async def check_volume(
    server: Server, name: str, volume: DrawnVolume, labels: Labels, known: NDArray[np.bool_]
) -> None:
    """Compare both scales of the labelmap and the labelblk instance with the voxels that were written."""
    drawn = random.Random(volume.seed)
    node = f"{server.node}/{name}"
    halved, corner = halve(labels, volume.offset)
    stored = {
        block
        for block in blocks_around(labels, volume.offset)
        if cut(known, volume.offset, start_of(block), (64, 64, 64)).any()
    }
    await check_blocks(server, node, "", labels, volume.offset, stored)
    await check_blocks(server, node, "&scale=1", halved, corner, None)
    for scale, truth, offset in (("", labels, volume.offset), ("&scale=1", halved, corner)):
        await check_boxes(server, node, scale, truth, offset, drawn)
        await check_slices(server, node, scale, truth, offset, drawn)
        await check_points(server, node, scale, truth, offset, drawn)
    await check_boxes(server, f"{node}_blk", "", labels, volume.offset, drawn)


async def check_blocks(
    server: Server, node: str, scale: str, labels: Labels, offset: XYZ, stored: set[XYZ] | None
) -> None:
    """Every block and a ring around them; *stored* are those that must be sent, None if any may be."""
    blocks = blocks_around(labels, offset)
    asked = ",".join(str(number) for block in blocks for number in block)
    low, high = blocks[0], blocks[-1]
    size = joined([64 * (last - first + 1) for first, last in zip(low, high, strict=True)])
    box = f"blocks/{size}/{joined(start_of(low))}"
    paths = [(f"specificblocks?blocks={asked}&compression={one}{scale}", one) for one in PAYLOADS]
    paths += [(f"specificblocks?blocks={asked}{scale}", "blocks"), (f"{box}?throttle=on{scale}", "lz4")]
    for path, compression in paths:
        frames = parse_stream(await server.get(f"{node}/{path}"))
        sent = [block for block, _ in frames]
        if path.startswith("specificblocks"):
            assert sent == [block for block in blocks if block in set(sent)]
        if stored is not None:
            assert set(sent) == stored
        for block, payload in frames:
            expected = cut(labels, offset, start_of(block), (64, 64, 64))
            assert (read_block(payload, compression) == expected).all(), (path, block)
        for block in set(blocks) - set(sent):
            assert not cut(labels, offset, start_of(block), (64, 64, 64)).any()


async def check_boxes(
    server: Server, node: str, scale: str, labels: Labels, offset: XYZ, drawn: random.Random
) -> None:
    """A box of any size and place, one block, and a box outside, in every compression."""
    start, size = draw_box(labels, offset, drawn)
    block = start_of(drawn.choice(blocks_around(labels, offset)))
    for box_start, box_size in ((start, size), (block, (64, 64, 64)), ((10_000, 10_000, 10_000), (9, 8, 7))):
        expected = cut(labels, offset, box_start, box_size)
        for compression in BODIES:
            path = f"raw/0_1_2/{joined(box_size)}/{joined(box_start)}?compression={compression}{scale}"
            body = await server.get(f"{node}/{path}")
            assert (read_body(body, compression, box_size) == expected).all(), path


async def check_slices(
    server: Server, node: str, scale: str, labels: Labels, offset: XYZ, drawn: random.Random
) -> None:
    """A slice by raw, isotropic and pseudocolor."""
    start, (x, y, _) = draw_box(labels, offset, drawn)
    plane = cut(labels, offset, start, (x, y, 1))[0]
    for endpoint in ("raw", "isotropic"):
        body = await server.get(f"{node}/{endpoint}/xy/{x}_{y}/{joined(start)}?{scale}")
        pixels = imagecodecs.png_decode(body).astype(">u2", order="C")
        assert (pixels.view("<u8")[..., 0] == plane).all()
    colors = imagecodecs.png_decode(
        await server.get(f"{node}/pseudocolor/xy/{x}_{y}/{joined(start)}?{scale}")
    )
    hashed = mmh3.hash(int(plane[-1, -1]).to_bytes(8, "little"), 0, signed=False)
    assert colors[-1, -1].tolist() == list(hashed.to_bytes(4, "big")[:3])


async def check_points(
    server: Server, node: str, scale: str, labels: Labels, offset: XYZ, drawn: random.Random
) -> None:
    """Single voxels, many at once, inside and outside."""
    spans = list(zip(offset, labels.shape[::-1], strict=True))
    points = [tuple(drawn.randint(first - 3, first + n + 2) for first, n in spans) for _ in range(200)]
    expected = [int(cut(labels, offset, (x, y, z), (1, 1, 1))[0, 0, 0]) for x, y, z in points]
    body = json.dumps(points).encode()
    async with server.ask("GET", f"{node}/labels?{scale}", body=body) as response:
        assert response.status == 200
        assert await response.read() == ("[" + ",".join(map(str, expected)) + "]").encode()
    for point, label in zip(points[:5], expected, strict=False):
        assert await server.get(f"{node}/label/{joined(point)}?{scale}") == b'{"Label": %d}' % label


def halve(labels: Labels, offset: XYZ) -> tuple[Labels, XYZ]:
    """Return labels at half the resolution and their first voxel: the most frequent of 8, but never 0.

    The smaller of equally frequent labels wins.
    """
    low = [at // 2 for at in offset]
    stop = [-(-(at + n) // 2) for at, n in zip(offset, labels.shape[::-1], strict=True)]
    corner = low[0], low[1], low[2]
    size = stop[0] - low[0], stop[1] - low[1], stop[2] - low[2]
    whole = cut(labels, offset, (2 * low[0], 2 * low[1], 2 * low[2]), (2 * size[0], 2 * size[1], 2 * size[2]))
    votes = whole.reshape(size[2], 2, size[1], 2, size[0], 2).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 8)
    winners = np.zeros(len(votes), np.uint64)
    most = np.zeros(len(votes), int)
    for candidate in np.sort(votes, axis=1).T:
        count = (votes == candidate[:, None]).sum(axis=1)
        wins = (candidate != 0) & (count > most)
        winners[wins], most[wins] = candidate[wins], count[wins]
    return winners.reshape(size[::-1]), corner


def blocks_around(labels: Labels, offset: XYZ) -> list[XYZ]:
    xs, ys, zs = (
        range(o // 64 - 1, (o + n - 1) // 64 + 2) for o, n in zip(offset, labels.shape[::-1], strict=True)
    )
    return list(itertools.product(xs, ys, zs))


def draw_box(labels: Labels, offset: XYZ, drawn: random.Random) -> tuple[XYZ, XYZ]:
    x, y, z = (o + drawn.randint(-9, n - 1) for o, n in zip(offset, labels.shape[::-1], strict=True))
    return (x, y, z), (drawn.randint(1, 80), drawn.randint(1, 70), drawn.randint(1, 20))


def start_of(block: XYZ) -> XYZ:
    return block[0] * 64, block[1] * 64, block[2] * 64


def joined(numbers: tuple[int, ...] | list[int]) -> str:
    return "_".join(map(str, numbers))
