"""`arb` interpolates planes at any angle, compared with numpy on the voxels that tensorstore reads."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from tests.cutouts import serving_volume
from tests.oblique import Vector, path_of, pixel_place, value_at
from tests.volumes import VolumeSpec, sharding

SPECS = {
    "jpeg-sharded": VolumeSpec(encoding="jpeg", sharding=sharding(), holes=((1, 1, 0),)),
    "anisotropic": VolumeSpec(
        size=(150, 130, 40),
        offset=(-10, 30, 5),
        chunk_size=(50, 30, 20),
        scale_extras={"resolution": [4, 8, 40]},
    ),
    "uint16": VolumeSpec(size=(70, 60, 50), data_type="uint16", chunk_size=(32, 32, 32)),
}

PLANES: list[tuple[Vector, Vector, Vector, float]] = [
    ((0, 0, 0), (800, 0, 0), (0, 800, 0), 8),
    ((100.5, 250.25, 300), (900, 300, 420.5), (140, 900, 100), 7.5),
    ((-400, 100, 700), (1500, 1100, -60), (300, 1400, 800), 11),
    ((3, 5, 7), (3, 5, 600), (500, 5, 7), 2.5),
    ((400, 400, 200), (405, 400, 200), (400, 900, 200), 8),
    ((1e7, 0, 0), (1.00001e7, 0, 0), (1e7, 100, 0), 10),
    ((1e300, 0, 0), (1e300, 100, 0), (1e300, 0, 100), 10),
]


@pytest.mark.parametrize("name", SPECS)
async def test_a_plane_at_any_angle_is_interpolated(name: str, tmp_path: Path) -> None:
    spec = SPECS[name]
    x, y, z = spec.scale_extras.get("resolution", [8, 8, 8])
    rng = np.random.default_rng(1)
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        for plane in PLANES:
            image = imagecodecs.png_decode(await server.get(f"{server.node}/em/arb/{path_of(plane)}"))
            assert image.dtype == np.dtype(spec.data_type)
            edges = [np.linalg.norm(np.subtract(corner, plane[0])) for corner in plane[1:3]]
            extent = (int(edges[0] // plane[3]) + 1, int(edges[1] // plane[3]) + 1)
            assert image.shape == extent[::-1]
            steps = min(extent[0] - 1, 1), min(extent[1] - 1, 1)
            for _ in range(300):
                column, row = (int(rng.integers(n)) for n in extent)
                if 0 in steps and (column, row) != (0, 0):
                    row = row if steps[1] else 0
                    column = 0
                place = pixel_place(plane, extent, (column, row))
                expected = value_at(truth, spec, (x, y, z), place)
                tolerance = 2.51 if spec.encoding == "jpeg" else 0.51
                assert abs(float(image[row, column]) - expected) <= tolerance, (plane, column, row)


async def test_a_plane_of_colors_is_interpolated_color_by_color(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(40, 40, 40), num_channels=3)
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        image = imagecodecs.png_decode(
            await server.get(f"{server.node}/em/arb/0_0_84/232_0_84/0_232_84/8/png")
        )
        assert image.shape == (30, 30, 4)
        mean = (truth[:30, :30, 10].astype(float) + truth[:30, :30, 11]) / 2
        assert np.abs(image[..., :3] - mean.swapaxes(0, 1)).max() <= 0.5


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("0_0_0/1_0_0/0_1_0", '"arb" must be followed by top-left/top-right/bottom-left/res'),
        ("0_0/1_0_0/0_1_0/8", "can't convert string '0_0' (length 2) to Vector3d"),
        ("0_0_x/1_0_0/0_1_0/8", 'strconv.ParseFloat: parsing "x": invalid syntax'),
        ("0_0_nan/1_0_0/0_1_0/8", 'strconv.ParseFloat: parsing "nan": invalid syntax'),
        ("0_0_0/inf_0_0/0_1_0/8", 'strconv.ParseFloat: parsing "inf": invalid syntax'),
        ("0_0_0/1e999_0_0/0_1_0/8", 'strconv.ParseFloat: parsing "1e999": value out of range'),
        ("0_0_0/80_0_0/0_80_0/0", "Bad arbitrary image size requested: resolution 0 is not positive"),
        ("0_0_0/80_0_0/0_80_0/-8", "Bad arbitrary image size requested: resolution -8 is not positive"),
        ("0_0_0/0_0_0/0_80_0/8", "Bad arbitrary image size requested: an edge of 0 nm at 8 nm a pixel"),
        ("0_0_0/80_0_0/0_0_0/8", "Bad arbitrary image size requested: an edge of 0 nm at 8 nm a pixel"),
        ("0_0_0/1e300_0_0/0_80_0/1e-300", "Bad arbitrary image size requested: an edge of 1e+300 nm"),
        ("0_0_0/80_0_0/0_80_0/8/gif", "Illegal image format requested: gif"),
        ("0_0_0/80_0_0/0_80_0/8?scale=1", 'data "em" has no scale 1'),
    ],
)
async def test_a_malformed_plane_is_refused(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, body = await server.error(f"{server.node}/em/arb/{path}")
        assert status == 400
        assert body.startswith(text)


@pytest.mark.parametrize("path", ["0_0_0/1e9_0_0/0_1e9_0/1", "0_0_0/1e300_0_0/0_80_0/8"])
async def test_a_plane_of_too_many_pixels_is_refused(path: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, _ = await server.error(f"{server.node}/em/arb/{path}")
        assert status == 413


async def test_a_plane_of_too_many_chunks_is_refused_but_drawn_at_a_coarser_scale(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(200, 200, 20), chunk_size=(10, 10, 10), scale_levels=2)
    limits = "[limits]\nmax_blocks = 100\n"
    async with serving_volume(spec, tmp_path, limits) as (server, _):
        plane = "0_0_0/1592_0_0/0_1592_0/80"
        status, text = await server.error(f"{server.node}/em/arb/{plane}")
        assert status == 413
        assert "max_blocks" in text
        image = imagecodecs.png_decode(await server.get(f"{server.node}/em/arb/{plane}?scale=1"))
        assert image.shape == (20, 20)


async def test_voxels_that_dvid_does_not_interpolate_are_refused(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20), data_type="float32"), tmp_path) as (server, _):
        status, text = await server.error(f"{server.node}/em/arb/0_0_0/80_0_0/0_80_0/8")
        assert status == 400
        assert "arbitrary orientation using 1 channels and 4 bytes/channel" in text
