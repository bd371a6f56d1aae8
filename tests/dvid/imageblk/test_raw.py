"""`raw` and `isotropic` answer with the voxels that tensorstore reads."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import simplejpeg

from tests.cutouts import assert_equal, expected_plane, joined, offset_of, serving_volume, tolerance
from tests.serving import config_text, serving
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, sharding, write_volume

SPECS = {
    "raw": VolumeSpec(holes=((1, 1, 0), (2, 2, 1))),
    "jpeg-sharded": VolumeSpec(encoding="jpeg", sharding=sharding(), holes=((0, 1, 0),)),
    "flat-chunks": VolumeSpec(chunk_size=(100, 30, 7), offset=(-10, 30, 5)),
    "scales": VolumeSpec(size=(200, 150, 90), scale_levels=3, offset=(16, -8, 4), sharding=sharding()),
    "uint16": VolumeSpec(size=(70, 60, 50), data_type="uint16", chunk_size=(32, 32, 32)),
    "uint64": VolumeSpec(size=(70, 60, 50), data_type="uint64", chunk_size=(32, 32, 32)),
    "float32": VolumeSpec(size=(70, 60, 50), data_type="float32", chunk_size=(32, 32, 32)),
}

BOXES: list[tuple[XYZ, XYZ]] = [
    ((64, 64, 64), (0, 0, 0)),
    ((64, 64, 64), (64, 64, 0)),
    ((50, 40, 30), (17, 23, 41)),
    ((1, 1, 1), (66, 59, 49)),
    ((300, 7, 5), (-80, 30, 10)),
    ((90, 90, 120), (100, 90, 30)),
    ((20, 20, 20), (-1000, 5, 2_000_000_000)),
]


@pytest.mark.parametrize("name", SPECS)
async def test_a_box_holds_what_tensorstore_reads_and_zeros_around_it(name: str, tmp_path: Path) -> None:
    spec = SPECS[name]
    async with serving_volume(spec, tmp_path) as (server, truth):
        for level in range(spec.scale_levels):
            for instance, query in {
                ("em", f"?scale={level}&throttle=on"),
                (f"em_{level}" if level else "em", ""),
            }:
                for size, offset in BOXES:
                    path = f"{server.node}/{instance}/raw/0_1_2/{joined(size)}/{joined(offset)}{query}"
                    body = await server.get(path)
                    ours = np.frombuffer(body, spec.data_type).reshape(size[::-1]).transpose(2, 1, 0)
                    expected = expected_box(truth[level], offset_of(spec, level), offset, size)[..., 0]
                    assert_equal(ours, expected, spec)


@pytest.mark.parametrize("block_size", [32, 64, 48])
async def test_a_box_does_not_depend_on_the_size_of_blocks(block_size: int, tmp_path: Path) -> None:
    spec = VolumeSpec(size=(100, 90, 80), offset=(5, 6, 7))
    truth = write_volume(tmp_path / "volume", spec)
    text = config_text({"em": tmp_path / "volume"}) + f"block_size = {block_size}\n"
    async with serving(text, tmp_path) as server:
        body = await server.get(f"{server.node}/em/raw/vol/70_60_90/0_-5_3")
        ours = np.frombuffer(body, np.uint8).reshape(90, 60, 70).transpose(2, 1, 0)
        assert_equal(ours, expected_box(truth[0], spec.offset, (0, -5, 3), (70, 60, 90))[..., 0], spec)


SLICES: list[tuple[str, str, tuple[int, int], XYZ]] = [
    ("xy", "xy", (64, 64), (0, 0, 70)),
    ("XY", "xy", (150, 131), (-7, 20, 12)),
    ("0_1", "xy", (33, 5), (60, 60, 63)),
    ("xz", "xz", (90, 80), (30, 65, -10)),
    ("0_2", "xz", (40, 30), (1, 2, 3)),
    ("yz", "yz", (101, 77), (70, -30, 5)),
    ("1,2", "yz", (20, 50), (149, 100, 60)),
    ("xy", "xy", (30, 30), (0, 0, -1)),
]


@pytest.mark.parametrize("name", ["raw", "jpeg-sharded", "flat-chunks"])
async def test_a_slice_is_an_image_of_what_tensorstore_reads(name: str, tmp_path: Path) -> None:
    spec = SPECS[name]
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        for dims, axes, size, offset in SLICES:
            expected = expected_plane(truth, spec, axes, size, offset)
            path = f"{server.node}/em/raw/{dims}/{joined(size)}/{joined(offset)}"
            for ending in ("", "/png", "/png:7", "/"):
                assert_equal(imagecodecs.png_decode(await server.get(path + ending)), expected, spec)
            for ending, decode in (
                ("/tif", imagecodecs.tiff_decode),
                ("/tiff", imagecodecs.tiff_decode),
                ("/bmp", imagecodecs.bmp_decode),
            ):
                assert_equal(decode(await server.get(path + ending)), expected, spec)
            sharp = simplejpeg.decode_jpeg(await server.get(f"{path}/jpg:100"), colorspace="GRAY")[..., 0]
            assert np.abs(sharp.astype(int) - expected).max() <= 4 + tolerance(spec)
            assert len(await server.get(f"{path}/jpeg:1")) < len(await server.get(f"{path}/jpg"))


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        ("xy/20_20/0_0_0", "image/png"),
        ("xy/20_20/0_0_0/jpg:40", "image/jpeg"),
        ("xy/20_20/0_0_0/tif", "image/tiff"),
        ("xy/20_20/0_0_0/bmp", "image/bmp"),
        ("0_1_2/20_20_20/0_0_0/jpeg", "image/jpeg"),
        ("0_1_2/20_20_20/0_0_0", "application/octet-stream"),
        ("0_1_2/20_20_20/0_0_0/jpg:20", "application/octet-stream"),
    ],
)
async def test_get_and_head_send_the_same_content_type(ending: str, media_type: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(30, 30, 30)), tmp_path) as (server, _):
        for method in ("GET", "HEAD"):
            url = f"{server.url}{server.node}/em/raw/{ending}"
            async with server.session.request(method, url) as response:
                assert response.status == 200
                assert response.headers["Content-Type"] == media_type


async def test_a_box_as_jpeg_has_its_planes_one_below_the_other(tmp_path: Path) -> None:
    spec = SPECS["jpeg-sharded"]
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        body = await server.get(f"{server.node}/em/raw/0_1_2/50_40_30/20_-10_50/jpeg")
        pixels = simplejpeg.decode_jpeg(body, colorspace="GRAY")[..., 0]
        assert pixels.shape == (40 * 30, 50)
        expected = expected_box(truth, (0, 0, 0), (20, -10, 50), (50, 40, 30))[..., 0]
        assert np.abs(pixels.reshape(30, 40, 50).transpose(2, 1, 0).astype(int) - expected).mean() < 2


async def test_a_box_too_high_for_a_jpeg_gets_wider(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(8, 300, 300), chunk_size=(8, 64, 64)), tmp_path) as (
        server,
        _,
    ):
        body = await server.get(f"{server.node}/em/raw/0_1_2/8_300_300/0_0_0/jpg")
        height, width, *_ = simplejpeg.decode_jpeg_header(body)
        assert (width, height) == (16, 45_000)
        status, text = await server.error(f"{server.node}/em/raw/0_1_2/8_65501_1/0_0_0/jpg")
        assert status == 413
        assert "jpeg: image is too large to encode" in text


def values_of(pixels: Voxels, dtype: str) -> Voxels:
    """Return the values that the bytes of pixels hold; Go writes 16-bit numbers high byte first."""
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        pixels = pixels.astype(">u2").view(np.uint8)
    values: Voxels = np.ascontiguousarray(pixels).view(dtype)
    return values.reshape(pixels.shape[:2])


@pytest.mark.parametrize("name", ["uint16", "uint64", "float32"])
async def test_images_of_wide_voxels_keep_their_values(name: str, tmp_path: Path) -> None:
    spec = SPECS[name]
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        expected = expected_plane(truth, spec, "xz", (40, 30), (10, 33, 12))
        path = f"{server.node}/em/raw/xz/40_30/10_33_12"
        for ending, decode in (("/png", imagecodecs.png_decode), ("/tiff", imagecodecs.tiff_decode)):
            assert_equal(values_of(decode(await server.get(path + ending)), name), expected, spec)
        if name == "uint16":
            grey = imagecodecs.bmp_decode(await server.get(f"{path}/bmp"))
            assert (grey == expected >> 8).all()
        else:
            status, text = await server.error(f"{path}/jpg")
            assert (status, text[:5]) == (400, "jpeg:")


async def test_three_channels_are_colors_that_gain_an_alpha(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(70, 60, 50), num_channels=3, chunk_size=(32, 32, 32))
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        expected = expected_box(truth, (0, 0, 0), (40, 33, 12), (40, 30, 5))
        body = await server.get(f"{server.node}/em/raw/0_1_2/40_30_5/40_33_12")
        ours = np.frombuffer(body, np.uint8).reshape(5, 30, 40, 4).transpose(2, 1, 0, 3)
        assert (ours[..., :3] == expected).all()
        assert (ours[..., 3] == 255).all()
        pixels = imagecodecs.png_decode(await server.get(f"{server.node}/em/raw/xy/40_30/40_33_12"))
        assert (pixels[..., :3] == expected[:, :, 0].swapaxes(0, 1)).all()
        sharp = simplejpeg.decode_jpeg(await server.get(f"{server.node}/em/raw/xy/40_30/40_33_12/jpg:100"))
        assert np.abs(sharp.astype(int) - pixels[..., :3]).mean() < 12


@pytest.mark.parametrize("dims", ["xy", "xz", "yz"])
async def test_isotropic_scales_the_coarser_axis_as_dvid_does(dims: str, tmp_path: Path) -> None:
    spec = VolumeSpec(size=(70, 60, 50), scale_extras={"resolution": [8, 8, 40]})
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        ours = imagecodecs.png_decode(await server.get(f"{server.node}/em/isotropic/{dims}/40_32/3_4_5"))
        height = 32 if dims == "xy" else 6  # int(32 * 8 / 40 + 0.5)
        stored = expected_plane(truth, spec, dims, (40, height), (3, 4, 5))
        assert (ours == dvid_interpolation(stored, 40, 32)).all()


def dvid_interpolation(image: Voxels, width: int, height: int) -> Voxels:
    """Scale as interpolate1x8 of DVID's image.go: magnify by repetition, minify by the mean."""
    rows, columns = image.shape
    large = image.astype(int).repeat(height, axis=0).repeat(width, axis=1)
    sums: Voxels = large.reshape(height, rows, width, columns).sum(axis=(1, 3))
    return np.asarray(sums // (rows * columns))


async def test_an_isotropic_box_equals_a_raw_box(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(40, 40, 40), scale_extras={"resolution": [8, 8, 40]})
    async with serving_volume(spec, tmp_path) as (server, _):
        paths = (f"{server.node}/em/{name}/0_1_2/20_20_20/15_15_15" for name in ("isotropic", "raw"))
        assert len({await server.get(path) for path in paths}) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("raw", '"raw" must be followed by shape/size/offset'),
        ("isotropic/xy/5_5", '"isotropic" must be followed by shape/size/offset'),
        ("raw/1_0/5_5/0_0_0", "Unknown data shape specification (1_0)"),
        ("raw/arb/5_5/0_0_0", "DVID currently supports shapes of only 2 and 3 dimensions"),
        ("raw/xy/5_5_5/0_0_0", "cannot parse into a 2d point"),
        ("raw/xy/5_5/0_0", "Offset must be 3d coordinate, not 2-d coordinate"),
        ("raw/vol/5_5/0_0_0", "Size must be 3 (not 2) dimensions"),
        ("raw/vol/5_5_5/0", "cannot convert '0' into a Point."),
        ("raw/xy/0_3/0_0_0", "Illegal geometry requested: XY slice @ offset (0,0,0), size (0, 3)"),
        ("raw/vol/2_-2_-2/1_2_3", "Illegal geometry requested: 3d volume (2,-2,-2) at offset (1,2,3)"),
        ("raw/xy/5_5/0_0_0/gif", "Illegal image format requested: gif"),
        ("raw/xy/5_5/0_0_0/jpg:abc", 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("raw/xy/5_a/0_0_0", 'strconv.ParseInt: parsing "a": invalid syntax'),
        ("raw/xy/5_5/0_0_4294967296", 'strconv.ParseInt: parsing "4294967296": value out of range'),
        ("raw/xy/5_5/0_0_0?roi=none", 'Can\'t get ROI with name "none": invalid data instance name'),
        ("raw/xy/5_5/0_0_0?roi=x&attenuation=9", "Attenuation should be from 1 to 7 (divides by 2^n)"),
    ],
)
async def test_malformed_requests_are_refused_in_dvids_words(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        path = f"{server.node}/em/{path}"
        assert await server.error(path) == (400, f"{text} ({path.split('?')[0]}).\n")


async def test_a_request_beyond_a_limit_is_refused_with_the_limit(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, text = await server.error(f"{server.node}/em/raw/vol/2000_2000_2000/0_0_0")
        assert status == 413
        assert (
            "Requested payload (8000000000 bytes) exceeds this DVID server's set limit (3221225472)" in text
        )
        assert "max_cutout" in text
        status, text = await server.error(f"{server.node}/em/raw/xy/50000_50000/0_0_0")
        assert status == 413
        assert "max_response" in text


async def test_a_damaged_chunk_fails_only_the_cut_outs_that_need_it(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(), tmp_path) as (server, [truth]):
        (tmp_path / "volume/s0/64-128_0-64_0-64").write_bytes(b"damaged")
        for path in ("raw/xy/10_10/70_0_0", "raw/vol/10_10_10/60_0_0", "arb/480_0_0/560_0_0/480_80_0/8"):
            status, text = await server.error(f"{server.node}/em/{path}")
            assert status == 502, path
            assert "s0/64-128_0-64_0-64" in text
        body = await server.get(f"{server.node}/em/raw/vol/10_10_10/54_0_0")
        assert body == truth[54:64, :10, :10, 0].tobytes("F")
