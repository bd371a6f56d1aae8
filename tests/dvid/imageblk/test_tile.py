"""`tile` answers with slices of a scale."""

from pathlib import Path

import imagecodecs
import pytest
import simplejpeg

from tests.cutouts import expected_plane, serving_volume
from tests.volumes import VolumeSpec

TILED = VolumeSpec(size=(700, 300, 50), scale_levels=3, offset=(16, -8, 4))


@pytest.mark.parametrize(
    ("path", "level", "dims", "side", "offset"),
    [
        ("xy/0/0_0_30", 0, "xy", 512, (0, 0, 30)),
        ("xy/0/1_0_30", 0, "xy", 512, (512, 0, 30)),
        ("0_1/0/-1_-1_30", 0, "xy", 512, (-512, -512, 30)),
        ("XY/1/0_0_31", 1, "xy", 512, (0, 0, 15)),
        ("xz/1/2_31_0?tilesize=64", 1, "xz", 64, (128, 15, 0)),
        ("yz/2/331_0_0/png?tilesize=50", 2, "yz", 50, (82, 0, 0)),
        ("xy/0/9_9_9", 0, "xy", 512, (4608, 4608, 9)),
    ],
)
async def test_a_tile_is_a_slice_of_its_scale(
    path: str, level: int, dims: str, side: int, offset: tuple[int, int, int], tmp_path: Path
) -> None:
    async with serving_volume(TILED, tmp_path) as (server, truth):
        image = imagecodecs.png_decode(await server.get(f"{server.node}/em/tile/{path}"))
        assert (image == expected_plane(truth[level], TILED, dims, (side, side), offset, level)).all()


async def test_both_dvid_tile_sources_of_catmaid_are_answered(tmp_path: Path) -> None:
    """As DVIDImageblkTileSource and DVIDImagetileTileSource of `tile-source.js` request them."""
    async with serving_volume(TILED, tmp_path) as (server, truth):
        expected = expected_plane(truth[0], TILED, "xy", (512, 512), (512, 0, 30))
        for path in ("raw/xy/512_512/512_0_30/png", "tile/xy/0/1_0_30"):
            assert (imagecodecs.png_decode(await server.get(f"{server.node}/em/{path}")) == expected).all()


async def test_a_tile_has_the_requested_format(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(60, 60, 10)), tmp_path) as (server, _):
        for ending in ("/jpg", "/jpeg:40", "?format=jpeg:80"):
            body = await server.get(f"{server.node}/em/tile/xy/0/0_0_5{ending}")
            assert simplejpeg.decode_jpeg_header(body)[:2] == (512, 512)


async def test_a_tile_without_voxels_is_black_or_404_with_noblanks(tmp_path: Path) -> None:
    spec = VolumeSpec(holes=((0, 0, 0),))
    async with serving_volume(spec, tmp_path) as (server, _):
        for path in ("xy/0/0_0_100", "xy/0/-1_0_5", "xy/0/0_0_5?tilesize=64"):
            question = "&" if "?" in path else "?"
            assert not imagecodecs.png_decode(await server.get(f"{server.node}/em/tile/{path}")).any()
            answer = await server.error(f"{server.node}/em/tile/{path}{question}noblanks=true")
            assert answer == (404, "404 page not found\n")
            async with server.ask("HEAD", f"{server.node}/em/tile/{path}{question}noblanks=true") as head:
                assert (head.status, await head.read()) == (404, b"")
        async with server.ask("HEAD", f"{server.node}/em/tile/xy/0/0_0_5?noblanks=true") as head:
            assert (head.status, head.content_type, await head.read()) == (200, "image/png", b"")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("xy/0", "'tile' request must be following by plane, scale level, and tile coordinate"),
        ("zz/0/0_0_0", "Illegal tile plane: zz (Unknown data shape specification (zz))"),
        ("vol/0/0_0_0", "Unknown tile orientation: 3d volume"),
        ("xy/x/0_0_0", 'Illegal tile scale: x (strconv.ParseUint: parsing "x": invalid syntax)'),
        ("xy/9/0_0_0", 'data "em" has no scale 9'),
        ("xy/0/0_0", "Illegal tile coordinate: 0_0 ("),
        ("xy/0/0_0_0/gif", "Illegal image format requested: gif"),
        ("xy/0/0_0_0?tilesize=0", "Illegal geometry requested: XY slice"),
        ("xy/0/0_0_0?tilesize=x", 'strconv.Atoi: parsing "x": invalid syntax'),
    ],
)
async def test_a_malformed_tile_is_refused(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, body = await server.error(f"{server.node}/em/tile/{path}")
        assert status == 400
        assert body.startswith(text)
