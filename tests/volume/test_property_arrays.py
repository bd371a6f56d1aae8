"""Random arrays of every kind over HTTP: every block, cut-out and label is what other libraries wrote.

`DVIDPC_DRAWS=5000` draws 5,000 arrays (`make property`); the default is enough for every push.
"""

import asyncio
import random
import tempfile
from pathlib import Path

import numpy as np

from tests.array_stores import XYZ, blocks_around, cut, engine_of, is_equal, offset_of, store_section
from tests.blockstream import parse_stream
from tests.drawing import drawing
from tests.drawn_arrays import DrawnArray, Voxels, WrittenArray, drawn_arrays, write_array
from tests.dvid.labelmap.test_property_labels import halve
from tests.label_payloads import read_block
from tests.serving import Server, config_text, serving


@drawing(drawn_arrays(), default=120, together=12)
def test_every_block_and_label_of_any_array_is_right(arrays: list[DrawnArray], memory: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(check_all(arrays, Path(name), memory))


async def check_all(arrays: list[DrawnArray], directory: Path, memory: str) -> None:
    written = [write_array(drawn, directory / str(n) / "array") for n, drawn in enumerate(arrays)]
    sections = [f'[cache]\nmemory = "{memory}"\n']
    for n, array in enumerate(written):
        ref, engine = f"file://{array.directory}", engine_of(array)
        sections.append(store_section(f"v{n}", ref, {"block_size": "32"}, engine))
        if array.drawn.data_type != "float32":
            labels = {"type": '"segmentation"'}
            if "c" in array.drawn.axes:
                labels["at"] = f"{{ c = {array.num_channels - 1} }}"
            sections.append(store_section(f"l{n}", ref, labels, engine))
    async with serving(config_text({}, "\n".join(sections)), directory) as server:
        for n, array in enumerate(written):
            try:
                for channel in range(array.num_channels):
                    await check_image(server, f"v{n}_c{channel}" if channel else f"v{n}", array, channel)
                if array.drawn.data_type != "float32":
                    await check_labels(server, f"l{n}", array, array.num_channels - 1)
            except AssertionError as error:
                raise AssertionError(str(array.drawn)) from error


async def check_image(server: Server, name: str, array: WrittenArray, channel: int) -> None:
    """Every block and a ring around them, and boxes of any place; a block without voxels is left out."""
    voxels, offset = array.zyx(channel), offset_of(array)
    depth, height, width = voxels.shape
    blocks = blocks_around((width, height, depth), offset, 32)
    query = ",".join(str(number) for block in blocks for number in block)
    path = f"{server.node}/{name}/specificblocks?blocks={query}&compression=uncompressed"
    sent = dict(parse_stream(await server.get(path)))
    for block in blocks:
        start = (32 * block[0], 32 * block[1], 32 * block[2])
        expected = cut(voxels, offset, start, (32, 32, 32))
        if block in sent:
            assert is_equal(read(sent[block], expected), expected), (name, block)
        else:
            assert not expected.any(), (name, block)
    await check_boxes(server, name, array, voxels)


async def check_boxes(server: Server, name: str, array: WrittenArray, voxels: Voxels) -> None:
    drawn = random.Random(array.drawn.seed)
    for _ in range(2):
        corner = zip(offset_of(array), voxels.shape[::-1], strict=True)
        x, y, z = (o + drawn.randint(-5, n - 1) for o, n in corner)
        width, height, depth = (drawn.randint(1, 40) for _ in range(3))
        body = await server.get(f"{server.node}/{name}/raw/0_1_2/{width}_{height}_{depth}/{x}_{y}_{z}")
        expected = cut(voxels, offset_of(array), (x, y, z), (width, height, depth))
        assert is_equal(read(body, expected), expected), (name, x, y, z)


async def check_labels(server: Server, name: str, array: WrittenArray, channel: int) -> None:
    stored = array.zyx(channel)
    labels = np.ascontiguousarray(stored).view(f"u{stored.itemsize}").astype(np.uint64)
    offset = offset_of(array)
    await check_label_blocks(server, name, "", labels, offset)
    await check_label_blocks(server, name, "&scale=1", *halve(labels, offset))
    drawn = random.Random(array.drawn.seed)
    x, y, z = (o + drawn.randint(-3, n + 2) for o, n in zip(offset, labels.shape[::-1], strict=True))
    answer = await server.get(f"{server.node}/{name}/label/{x}_{y}_{z}")
    assert int(answer.split(b":")[1].strip(b" }")) == cut(labels, offset, (x, y, z), (1, 1, 1)).item()


async def check_label_blocks(server: Server, name: str, scale: str, labels: Voxels, offset: XYZ) -> None:
    depth, height, width = labels.shape
    blocks = blocks_around((width, height, depth), offset)
    query = ",".join(str(number) for block in blocks for number in block)
    sent = dict(parse_stream(await server.get(f"{server.node}/{name}/specificblocks?blocks={query}{scale}")))
    for block in blocks:
        start = (64 * block[0], 64 * block[1], 64 * block[2])
        expected = cut(labels, offset, start, (64, 64, 64))
        if block in sent:
            assert (read_block(sent[block], "blocks") == expected).all(), (name, scale, block)
        else:
            assert not expected.any(), (name, scale, block)


def read(data: bytes, expected: Voxels) -> Voxels:
    return np.frombuffer(data, expected.dtype.newbyteorder("<")).reshape(expected.shape)
