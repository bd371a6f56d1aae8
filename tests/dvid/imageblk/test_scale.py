"""Every endpoint at every scale, with unaligned boxes, boxes across the edge and boxes outside the volume."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import pytest
import pytest_asyncio
import simplejpeg

from tests.blockstream import parse_stream
from tests.cutouts import (
    assert_equal,
    expected_plane,
    grey_box,
    joined,
    listed,
    offset_of,
    serving_volume,
    tolerance,
)
from tests.oblique import Vector, path_of, pixel_place, value_at
from tests.serving import Server, config_text, serving
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, sharding, write_volume

pytestmark = pytest.mark.asyncio(loop_scope="module")

RAW = VolumeSpec(
    chunk_size=(48, 40, 32), offset=(16, -8, 4), scale_levels=3, resolution=(8, 8, 20), sharding=sharding()
)
VOLUMES = {
    "raw": (RAW, 32),
    "jpeg": (replace(RAW, chunk_size=(64, 64, 64), offset=(-37, 21, 90), encoding="jpeg"), 64),
}
"""Volumes, and the side length of their blocks."""

WAYS = (
    ("em", None),
    ("em", 0),
    ("em", 1),
    ("em_1", None),
    ("em", 2),
    ("em_1", 1),
    ("em_2", 0),
    ("em_2", None),
)
"""An instance, and the value of `?scale=`; None: no parameter."""


class Served(NamedTuple):
    server: Server
    spec: VolumeSpec
    truth: list[Voxels]
    side: int


@dataclass(frozen=True)
class Scale:
    """A scale of a served volume, and its voxels as tensorstore reads them."""

    server: Server
    instance: str
    step: int | None
    """The value of `?scale=`; None: no parameter."""
    spec: VolumeSpec
    """Describes this scale as a volume of its own."""
    truth: Voxels
    side: int
    """Side length of a block."""

    async def get(self, call: str, *query: str) -> bytes:
        scale = () if self.step is None else (f"scale={self.step}",)
        return await self.ask(call, *query, *scale)

    async def ask(self, call: str, *query: str) -> bytes:
        """Request *call* without `?scale=`."""
        return await self.server.get(f"{self.server.node}/{self.instance}/{call}?{'&'.join(query)}")

    def voxels(self, start: XYZ, size: XYZ) -> Voxels:
        return np.asarray(expected_box(self.truth, self.spec.offset, start, size)[..., 0])

    def pixels(self, dims: str, size: tuple[int, int], start: XYZ) -> Voxels:
        return expected_plane(self.truth, self.spec, dims, size, start)

    @property
    def block(self) -> XYZ:
        return self.side, self.side, self.side

    @property
    def boxes(self) -> list[tuple[XYZ, XYZ]]:
        """Start and size of boxes: around the volume, inside, across its end, and far outside."""
        low, size = np.array(self.spec.offset), np.array(self.spec.size)
        return [
            (triple(low - 3), triple(size + 7)),
            (triple(low + size // 3), triple(size // 2)),
            (triple(low + size - 5), (11, 13, 9)),
            (triple(low - 500), (11, 13, 9)),
        ]

    @property
    def slices(self) -> list[tuple[str, tuple[int, int], XYZ]]:
        """Axes, size and start of slices through the boxes."""
        planes = []
        for (start, size), (dims, (a, b)) in itertools.product(
            self.boxes, {"xy": (0, 1), "xz": (0, 2), "yz": (1, 2)}.items()
        ):
            offset = [*start]
            [across] = {0, 1, 2} - {a, b}
            offset[across] += size[across] // 3
            planes.append((dims, (size[a], size[b]), triple(np.array(offset))))
        return planes


def triple(numbers: Voxels) -> XYZ:
    x, y, z = map(int, numbers)
    return x, y, z


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=VOLUMES)
async def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    spec, side = VOLUMES[request.param]
    directory = tmp_path_factory.mktemp(request.param)
    truth = write_volume(directory / "volume", spec)
    text = config_text({"em": directory / "volume"}) + f"block_size = {side}\n"
    async with serving(text, directory) as server:
        yield Served(server, spec, truth, side)


@pytest.fixture(params=WAYS, ids=lambda way: way[0] if way[1] is None else f"{way[0]}?scale={way[1]}")
def scale(request: pytest.FixtureRequest, served: Served) -> Scale:
    instance, step = request.param
    level = int(instance.removeprefix("em").lstrip("_") or 0) + (step or 0)
    spec = replace(
        served.spec,
        size=served.spec.scale_size(level),
        offset=offset_of(served.spec, level),
        resolution=triple(np.array(served.spec.resolution) * 2**level),
        scale_levels=1,
    )
    return Scale(served.server, instance, step, spec, served.truth[level], served.side)


@pytest.mark.parametrize("endpoint", ["raw", "isotropic"])
async def test_a_box_is_what_tensorstore_reads(endpoint: str, scale: Scale) -> None:
    for start, size in scale.boxes:
        path = f"{endpoint}/0_1_2/{joined(size)}/{joined(start)}"
        expected = scale.voxels(start, size)
        assert_equal(listed(await scale.get(path), size), expected, scale.spec)
        sent = grey_box(await scale.get(f"{path}/jpeg"), size)
        assert np.abs(sent.astype(int) - expected).mean() < 6


DECODERS: dict[str, Callable[[bytes], Voxels]] = {
    "png": imagecodecs.png_decode,
    "tif": imagecodecs.tiff_decode,
    "bmp": imagecodecs.bmp_decode,
}


async def test_a_slice_is_what_tensorstore_reads(scale: Scale) -> None:
    for dims, size, start in scale.slices:
        path = f"raw/{dims}/{joined(size)}/{joined(start)}"
        expected = scale.pixels(dims, size, start)
        for ending, decode in DECODERS.items():
            assert_equal(decode(await scale.get(f"{path}/{ending}")), expected, scale.spec)
        sharp = simplejpeg.decode_jpeg(await scale.get(f"{path}/jpg:100"), colorspace="GRAY")[..., 0]
        assert np.abs(sharp.astype(int) - expected).max() <= 4 + tolerance(scale.spec)


async def test_an_isotropic_slice_is_what_tensorstore_reads_scaled(scale: Scale) -> None:
    for dims, (width, height), start in scale.slices:
        rows = height if dims == "xy" else int(height * 8 / 20 + 0.5)
        stored = scale.pixels(dims, (width, rows), start).astype(int)
        # As DVID does it, see `dvid_interpolation`; the columns stay as they are.
        expected = stored.repeat(height, axis=0).reshape(height, rows, width).sum(axis=1) // rows
        body = await scale.get(f"isotropic/{dims}/{width}_{height}/{joined(start)}")
        ours = imagecodecs.png_decode(body)
        assert np.abs(ours.astype(int) - expected).max() <= tolerance(scale.spec)


CORNERS: list[tuple[Vector, Vector, Vector]] = [
    ((0, 0, 0.5), (1, 0, 0.5), (0, 1, 0.5)),
    ((-0.1, 0.2, 0.1), (1.1, 0.3, 0.4), (0.1, 0.9, 0.9)),
    ((0.8, 0.7, 0.6), (1.3, 1.2, 0.9), (0.7, 1.4, 1.2)),
]
"""Corners of planes; 0 is the start of the volume and 1 its end."""


async def test_a_plane_at_any_angle_is_interpolated(scale: Scale) -> None:
    spec = scale.spec
    x, y, z = spec.resolution
    rng = np.random.default_rng(1)
    for corners in CORNERS:
        places = [(np.array(spec.offset) + np.multiply(c, spec.size)) * spec.resolution for c in corners]
        a, b, c = ((float(p[0]), float(p[1]), float(p[2])) for p in places)
        plane = (a, b, c, 1.25 * x)
        image = imagecodecs.png_decode(await scale.get(f"arb/{path_of(plane)}"))
        extent = (image.shape[1], image.shape[0])
        assert extent == tuple(int(np.linalg.norm(np.subtract(edge, a)) / plane[3]) + 1 for edge in (b, c))
        assert image.any()
        for _ in range(100):
            column, row = (int(rng.integers(n)) for n in extent)
            expected = value_at(scale.truth, spec, (x, y, z), pixel_place(plane, extent, (column, row)))
            assert abs(float(image[row, column]) - expected) <= 0.51 + tolerance(spec), (plane, column, row)


@pytest.mark.parametrize("side", [20, 512])
async def test_a_tile_is_a_slice(side: int, scale: Scale) -> None:
    """Across its plane, a tile coordinate counts voxels of the requested instance, not of the scale."""
    step = scale.step or 0
    middle = [o + n // 2 for o, n in zip(scale.spec.offset, scale.spec.size, strict=True)]
    for dims, (a, b) in {"xy": (0, 1), "xz": (0, 2), "yz": (1, 2)}.items():
        at = [n * 2**step + step for n in middle]  # `step` more are still the same voxel
        start = [*middle]
        for axis, more in ((a, -1), (b, 1)):
            at[axis] = middle[axis] // side + more * (side == 20)
            start[axis] = at[axis] * side
        body = await scale.ask(f"tile/{dims}/{step}/{joined(tuple(at))}", f"tilesize={side}")
        expected = scale.pixels(dims, (side, side), triple(np.array(start)))
        assert_equal(imagecodecs.png_decode(body), expected, scale.spec)


def blocks_around(scale: Scale) -> tuple[list[XYZ], XYZ, XYZ]:
    """Return the blocks of a scale and a ring around them, the first, and the number along each axis."""
    low, size = np.array(scale.spec.offset), np.array(scale.spec.size)
    first = low // scale.side - 1
    count = (low + size - 1) // scale.side + 2 - first
    blocks = [triple(first + steps) for steps in np.ndindex(*count)]
    return blocks, triple(first), triple(count)


def assert_blocks(scale: Scale, body: bytes, blocks: list[XYZ], compression: str) -> None:
    """Check that a stream holds exactly the *blocks* with voxels, in order, with the right payloads."""
    known = {block: scale.voxels(triple(np.array(block) * scale.side), scale.block) for block in blocks}
    frames = parse_stream(body)
    assert [block for block, _ in frames] == [block for block in blocks if known[block].any()]
    for block, payload in frames:
        assert_payload(scale, payload, known[block], compression)


def assert_payload(scale: Scale, payload: bytes, expected: Voxels, compression: str) -> None:
    size = triple(np.array(expected.shape))
    if compression == "jpeg":
        assert np.abs(grey_box(payload, size).astype(int) - expected).mean() < 6
    else:
        assert_equal(listed(payload, size), expected, scale.spec)


COMPRESSIONS = pytest.mark.parametrize("compression", ["uncompressed", "jpeg"])


@COMPRESSIONS
async def test_every_block_is_what_tensorstore_reads(compression: str, scale: Scale) -> None:
    blocks, _, _ = blocks_around(scale)
    query = ",".join(str(number) for block in blocks for number in block)
    body = await scale.get("specificblocks", f"blocks={query}", f"compression={compression}")
    assert_blocks(scale, body, blocks, compression)


@COMPRESSIONS
async def test_a_box_of_blocks_has_every_one_that_is_stored(compression: str, scale: Scale) -> None:
    blocks, first, count = blocks_around(scale)
    size, start = (triple(np.array(numbers) * scale.side) for numbers in (count, first))
    body = await scale.get(f"subvolblocks/{joined(size)}/{joined(start)}", f"compression={compression}")
    assert_blocks(scale, body, sorted(blocks, key=lambda block: block[::-1]), compression)


@COMPRESSIONS
async def test_neuroglancer_gets_any_box_as_one_block(compression: str, scale: Scale) -> None:
    askew = (triple(np.array(scale.spec.offset) - 5), scale.block)
    for start, size in [*scale.boxes, askew]:
        path = f"subvolblocks/{joined(size)}/{joined(start)}"
        frames = parse_stream(await scale.get(path, f"compression={compression}", "app=Neuroglancer"))
        expected = scale.voxels(start, size)
        assert [block for block, _ in frames] == [triple(np.array(start) // scale.side)][
            : int(expected.any())
        ]
        for _, payload in frames:
            assert_payload(scale, payload, expected, compression)


async def test_a_row_of_blocks_is_what_tensorstore_reads(scale: Scale) -> None:
    blocks, first, count = blocks_around(scale)
    nbytes = scale.side**3
    for row in (block for block in blocks if block[0] == first[0]):
        body = await scale.get(f"blocks/{joined(row)}/{count[0]}")
        assert len(body) == count[0] * nbytes
        for number in range(count[0]):
            block = (row[0] + number, row[1], row[2])
            expected = scale.voxels(triple(np.array(block) * scale.side), scale.block)
            ours = listed(body[number * nbytes :][:nbytes], scale.block)
            assert_equal(ours, expected, scale.spec)


async def test_rawkey_names_the_bytes_of_every_chunk(scale: Scale) -> None:
    covered = np.zeros(scale.spec.size, bool)
    for block in blocks_around(scale)[0]:
        place = (f"{axis}={n}" for axis, n in zip("xyz", block, strict=True))
        for chunk in json.loads(await scale.get("rawkey", *place))["Chunks"]:
            start, size = chunk["MinPoint"], triple(np.subtract(chunk["MaxPoint"], chunk["MinPoint"]) + 1)
            data = Path(chunk["Object"].removeprefix("file://")).read_bytes()
            data = data[chunk["Offset"] :][: chunk["Size"]]
            ours = grey_box(data, size) if scale.spec.encoding == "jpeg" else listed(data, size)
            assert_equal(ours, scale.voxels(triple(np.array(start)), size), scale.spec)
            low = np.subtract(start, scale.spec.offset)
            covered[tuple(slice(a, a + n) for a, n in zip(low.tolist(), size, strict=True))] = True
    assert covered.all()


async def test_block_endpoints_answer_for_a_coarser_scale(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(scale_levels=3), tmp_path) as (server, _):
        for path in ("specificblocks?blocks=0,0,0&", "subvolblocks/64_64_64/0_0_0?", "blocks/0_0_0/1?"):
            one, other = f"{server.node}/em/{path}scale=2", f"{server.node}/em_1/{path}scale=1"
            expected = await server.get(f"{server.node}/em_2/{path}scale=0")
            assert expected
            assert await server.get(one) == await server.get(other) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("raw/xy/5_5/0_0_0?scale=1", 'data "em" has no scale 1'),
        ("raw/xy/5_5/0_0_0?scale=-1", 'strconv.ParseUint: parsing "-1": invalid syntax'),
        ("specificblocks?blocks=0,0,0&scale=7", 'data "em" has no scale 7'),
    ],
)
async def test_a_scale_that_does_not_exist_is_refused(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        path = f"{server.node}/em/{path}"
        assert await server.error(path) == (400, f"{text} ({path.split('?')[0]}).\n")
