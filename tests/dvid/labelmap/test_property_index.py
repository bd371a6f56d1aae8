"""Random segmentations with a label index over HTTP: every endpoint says what numpy says of the voxels.

`DVIDPC_DRAWS=5000` draws 5,000 volumes; the default is enough for every push.
"""

import asyncio
import json
import random
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np

from tests.blockstream import XYZ
from tests.drawing import drawing
from tests.drawn import DrawnVolume, drawn_segmentations, write
from tests.dvid.labelmap.test_property_labels import halve
from tests.label_index import write_index
from tests.label_messages import read_label_index
from tests.label_payloads import Labels
from tests.serving import Server, config_text, serving
from tests.sparse_volumes import read_masks, read_runs, voxels_of, where


@drawing(drawn_segmentations(), default=16, together=4)
def test_every_index_endpoint_of_any_segmentation_is_right(volumes: list[DrawnVolume], memory: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(check_all(volumes, Path(name), memory))


async def check_all(volumes: list[DrawnVolume], directory: Path, memory: str) -> None:
    sections = [f'[cache]\nmemory = "{memory}"\nindex_memory = "{memory}"\n']
    truths = []
    for n, volume in enumerate(volumes):
        place = directory / str(n) / "volume"
        stored = write(volume, place).voxels[..., 0].T
        labels = stored.view(f"u{stored.itemsize}").astype(np.uint64)
        truths.append(labels)
        write_index(directory / f"{n}.index", (place / "info").read_bytes(), labels, volume.offset)
        sections.append(
            f'[store.v{n}]\nengine = "ngprecomputed"\ninstance = "v{n}"\n'
            f'ref = "file://{place}"\nlabel_index = "{directory}/{n}.index"\n'
        )
    async with serving(config_text({}, "\n".join(sections)), directory) as server:
        for n, (volume, labels) in enumerate(zip(volumes, truths, strict=True)):
            try:
                await check_volume(server, f"{server.node}/v{n}", volume, labels)
            except AssertionError as error:
                raise AssertionError(str(volume)) from error


async def check_volume(server: Server, node: str, volume: DrawnVolume, labels: Labels) -> None:
    drawn = random.Random(volume.seed)
    ids, counts = np.unique(labels[labels > 0], return_counts=True)
    sizes = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    await check_lists(server, node, sizes)
    halved, corner = halve(labels, volume.offset)
    for label in drawn.sample(sorted(sizes), min(4, len(sizes))):
        voxels = where(labels, label, volume.offset)
        await check_sizes(server, node, label, voxels)
        for scale, of_scale in ((0, voxels), (1, where(halved, label, corner))):
            await check_volumes(server, node, label, scale, of_scale, drawn)
        await check_point(server, node, label, drawn.choice(sorted(voxels)))


async def check_lists(server: Server, node: str, sizes: dict[int, int]) -> None:
    """All labels, their sizes, and the largest."""
    pairs = [number for pair in sorted(sizes.items()) for number in pair]
    body = await server.get(f"{node}/listlabels?sizes=true")
    assert np.frombuffer(body, "<u8").tolist() == pairs
    assert json.loads(await server.get(f"{node}/existing-labels")) == sorted(sizes)
    info = json.loads(await server.get(f"{node}/info"))["Extended"]
    assert (info["IndexedLabels"], info["MaxRepoLabel"]) == (True, max(sizes, default=0))
    if sizes:
        assert json.loads(await server.get(f"{node}/maxlabel")) == {"maxlabel": max(sizes)}
    asked = [*sizes, 0, 2**64 - 3]
    async with server.ask("GET", f"{node}/sizes", body=json.dumps(asked).encode()) as response:
        assert json.loads(await response.read()) == [sizes.get(label, 0) for label in asked]


async def check_sizes(server: Server, node: str, label: int, voxels: set[XYZ]) -> None:
    blocks = {(x // 64, y // 64, z // 64) for x, y, z in voxels}
    assert json.loads(await server.get(f"{node}/size/{label}")) == {"voxels": len(voxels)}
    low, high = ([edge(axis) for axis in zip(*blocks, strict=True)] for edge in (min, max))
    assert json.loads(await server.get(f"{node}/sparsevol-size/{label}")) == {
        "voxels": len(voxels),
        "numblocks": len(blocks),
        "minvoxel": [64 * at for at in low],
        "maxvoxel": [64 * at + 63 for at in high],
    }
    index = read_label_index(await server.get(f"{node}/index/{label}"))
    assert sum(one.counts[label] for one in index.blocks.values()) == len(voxels)
    assert len(index.blocks) == len(blocks)
    coarse = read_runs(await server.get(f"{node}/sparsevol-coarse/{label}"))
    assert voxels_of(coarse) == blocks
    body = await server.get(f"{node}/sparsevols-coarse/{label}/{label}")
    assert (np.frombuffer(body, "<u8", 1)[0], np.frombuffer(body, "<i4", 1, 8)[0]) == (label, len(coarse))
    assert body[12:] == coarse.tobytes()


async def check_volumes(
    server: Server, node: str, label: int, scale: int, voxels: set[XYZ], drawn: random.Random
) -> None:
    """The voxels of a scale, in every format, with and without bounds."""
    path = f"{node}/sparsevol/{label}?scale={scale}"
    body = await server.get(path)
    assert voxels_of(read_runs(body)) == voxels
    assert await server.get(f"{path}&format=srles") == body[12:]
    packed = await server.get(f"{path}&compression=lz4")
    assert not body or imagecodecs.lz4_decode(packed, out=len(body), header=False) == body
    zipped = await server.get(f"{path}&compression=gzip")
    assert not body or imagecodecs.gzip_decode(zipped, out=len(body)) == body
    masked = await server.get(f"{path}&format=blocks")
    if masked:
        named, masks = read_masks(masked)
        found = {
            (int(x) + 64 * bx, int(y) + 64 * by, int(z) + 64 * bz)
            for (bx, by, bz), mask in masks.items()
            for z, y, x in np.argwhere(mask)
        }
        assert (named, found) == (label, voxels)
    else:
        assert not voxels
    if voxels:
        await check_bounds(server, path, voxels, drawn)


async def check_bounds(server: Server, path: str, voxels: set[XYZ], drawn: random.Random) -> None:
    centre = drawn.choice(sorted(voxels))
    bounds = {}
    for axis, at in zip("xyz", centre, strict=True):
        if drawn.random() < 0.7:
            bounds[f"min{axis}"] = at - drawn.randint(0, 40)
        if drawn.random() < 0.7:
            bounds[f"max{axis}"] = at + drawn.randint(0, 40)
    query = "".join(f"&{name}={value}" for name, value in bounds.items())
    inside = {
        voxel
        for voxel in voxels
        if all(
            bounds.get(f"min{axis}", at) <= at <= bounds.get(f"max{axis}", at)
            for axis, at in zip("xyz", voxel, strict=True)
        )
    }
    assert voxels_of(read_runs(await server.get(path + query))) == inside, query
    whole = voxels_of(read_runs(await server.get(f"{path}{query}&exact=false")))
    assert inside <= whole <= voxels


async def check_point(server: Server, node: str, label: int, voxel: XYZ) -> None:
    x, y, z = voxel
    by_point = await server.get(f"{node}/sparsevol-by-point/{x}_{y}_{z}")
    assert by_point == await server.get(f"{node}/sparsevol/{label}")
