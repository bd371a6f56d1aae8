"""The demo volume, read back with tensorstore; and what is said about it."""

import io
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from numpy.typing import NDArray

from dvidpc.config import load_config
from dvidpc.demo import demo_config_text, demo_directory, demo_guide, ensure_demo_volume, write_demo_volume
from dvidpc.demo.micrograph import make_micrograph
from dvidpc.demo.volume import halve
from dvidpc.errors import ConfigError
from dvidpc.types import Point

SIZE = Point(269, 262, 70)
TINY = Point(70, 45, 33)
UUID = "28841c8277e044a7b187dda03e18da13"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_scale(directory: Path, scale: int) -> ts.TensorStore:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "scale_index": scale,
    }
    return ts.open(spec, read=True).result()


def read_scale(directory: Path, scale: int) -> NDArray[np.uint8]:
    voxels: NDArray[np.uint8] = open_scale(directory, scale)[..., 0].read().result().T
    return voxels


def ignore(_: float) -> None:
    pass


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cache") / "dvidpc" / "demo-v1"
    write_demo_volume(directory, ignore, SIZE)
    return directory


@pytest.fixture(scope="module")
def image(directory: Path) -> NDArray[np.uint8]:
    return read_scale(directory, 0)


@pytest.mark.parametrize(
    ("scale", "size", "shard_bits"),
    [(0, (269, 262, 70), 1), (1, (135, 131, 35), 0), (2, (68, 66, 18), 0), (3, (34, 33, 9), 0)],
)
def test_each_scale_is_half_the_one_before_rounded_up(
    directory: Path, scale: int, size: tuple[int, int, int], shard_bits: int
) -> None:
    store = open_scale(directory, scale)
    metadata = store.spec().to_json()["scale_metadata"]
    assert store.domain.exclusive_max == (*size, 1)
    assert store.dtype == ts.uint8
    assert metadata["resolution"] == [8 << scale] * 3
    assert metadata["chunk_size"] == [64, 64, 64]
    assert (metadata["encoding"], metadata["jpeg_quality"]) == ("jpeg", 85)
    assert metadata["sharding"] == {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 3,
        "minishard_bits": 3,
        "shard_bits": shard_bits,
        "minishard_index_encoding": "gzip",
        "data_encoding": "raw",
    }


def test_there_are_four_scales_and_several_shards(directory: Path) -> None:
    assert len(list(directory.iterdir())) == 5
    assert len(list((directory / "8_8_8").glob("*.shard"))) == 2
    with pytest.raises(ValueError, match="scale"):
        open_scale(directory, 4)


def test_coarser_scales_show_the_same_tissue(directory: Path) -> None:
    for scale in range(3):
        expected = halve(read_scale(directory, scale))
        stored = read_scale(directory, scale + 1)
        assert abs(stored.mean() - expected.mean()) < 1
        assert np.corrcoef(stored.ravel(), expected.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 7, 9), (1, 1, 1), (2, 1, 5)])
def test_halving_is_the_mean_as_tensorstore_takes_it(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = ts.downsample(ts.array(image.astype(np.float32)), [2, 2, 2], "mean").read().result()
    assert halve(image).shape == expected.shape
    assert np.abs(halve(image) - expected).max() <= 0.5


def test_brightness_is_that_of_a_micrograph(image: NDArray[np.uint8]) -> None:
    assert 90 < image.mean() < 170
    assert 20 < image.std() < 70
    assert np.percentile(image, 1) < 80
    assert np.percentile(image, 90) > 140


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_tissue_goes_on_from_slice_to_slice(image: NDArray[np.uint8], axis: int) -> None:
    slices = np.moveaxis(image, axis, 0)
    for here, there in pairwise(slices):
        assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.7


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_no_face_is_black_or_blank(image: NDArray[np.uint8], axis: int, end: int) -> None:
    face = image.take(end, axis)
    assert 90 < face.mean() < 170
    assert face.std() > 15


def test_the_same_tissue_grows_every_time() -> None:
    image = make_micrograph((33, 45, 70), 1, ignore)
    assert np.array_equal(image, make_micrograph((33, 45, 70), 1, ignore))
    assert not np.array_equal(image, make_micrograph((33, 45, 70), 2, ignore))


@pytest.mark.parametrize("size", [Point(1, 1, 1), Point(65, 2, 3), TINY])
def test_any_size_can_be_made(tmp_path: Path, size: Point) -> None:
    write_demo_volume(tmp_path / "demo", ignore, size)
    assert read_scale(tmp_path / "demo", 0).shape == (size.z, size.y, size.x)


def test_progress_only_grows_and_ends_at_one(tmp_path: Path) -> None:
    fractions: list[float] = []
    write_demo_volume(tmp_path / "demo", fractions.append, TINY)
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-1] == 1


@pytest.mark.parametrize("moment", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, moment: float, error: type[BaseException]) -> None:
    def interrupt(done: float) -> None:
        if done >= moment:
            raise error

    with pytest.raises(error):
        write_demo_volume(tmp_path / "demo", interrupt, TINY)
    assert list(tmp_path.iterdir()) == []


def test_a_volume_that_another_process_wrote_meanwhile_is_kept(tmp_path: Path) -> None:
    def write_theirs(_: float) -> None:
        (tmp_path / "demo").mkdir(exist_ok=True)
        (tmp_path / "demo" / "info").write_text("theirs")

    write_demo_volume(tmp_path / "demo", write_theirs, TINY)
    assert (tmp_path / "demo" / "info").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_the_volume_is_written_once(tmp_path: Path) -> None:
    directory, first, second = tmp_path / "dvidpc" / "demo-v1", io.StringIO(), io.StringIO()
    ensure_demo_volume(directory, first, TINY)
    written = (directory / "info").stat()
    ensure_demo_volume(directory, second, TINY)
    assert (directory / "info").stat() == written
    assert first.getvalue().splitlines()[0] == f"Writing the demo volume to {directory}, once"
    assert len(first.getvalue().splitlines()) == 2
    assert second.getvalue() == ""


def test_a_terminal_shows_a_bar(tmp_path: Path) -> None:
    terminal = Terminal()
    ensure_demo_volume(tmp_path / "demo", terminal, TINY)
    assert "Writing the demo volume" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    directory = tmp_path / "file" / "dvidpc" / "demo-v1"
    with pytest.raises(ConfigError) as caught:
        ensure_demo_volume(directory, io.StringIO(), TINY)
    assert str(caught.value) == (
        f"cannot write the demo volume to {directory}: Not a directory; "
        "set XDG_CACHE_HOME to a directory that can be written"
    )


def test_other_files_in_the_place_of_the_volume_are_kept(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match="not empty"):
        ensure_demo_volume(tmp_path / "demo", io.StringIO(), TINY)
    assert (tmp_path / "demo" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/home/me"}, "/cache/dvidpc/demo-v1"),
        ({"HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v1"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v1"),
        ({"XDG_CACHE_HOME": "not/absolute", "HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v1"),
    ],
)
def test_the_volume_is_kept_in_the_users_cache(environ: dict[str, str], expected: str) -> None:
    assert demo_directory(environ) == Path(expected)


def test_a_user_without_a_home_is_told_what_to_set() -> None:
    with pytest.raises(ConfigError, match="XDG_CACHE_HOME"):
        demo_directory({})


def test_the_config_is_one_that_dvidpc_reads(tmp_path: Path) -> None:
    file = tmp_path / "demo.toml"
    file.write_text(demo_config_text(Path('/a home/of "me"/é'), "127.0.0.1:8123"))
    config = load_config(file)
    (store,) = config.stores
    assert store.ref.text == "file:///a%20home/of%20%22me%22/%C3%A9"
    assert (store.alias, store.engine, store.instance) == ("demo", "ngprecomputed", "em")
    assert config.server.http_address.port == 8123
    assert config.repo.alias == "demo"
    assert not config.warnings


def test_the_guide_names_what_each_client_needs() -> None:
    guide = demo_guide("http://localhost:8123/", UUID)
    assert f"dvid://http://localhost:8123/{UUID}/em\n" in guide
    lines = [line.split() for line in guide.splitlines()]
    for field in (["host", "localhost"], ["port", "8123"], ["UUID", UUID], ["grayscale", "em"]):
        assert field in lines
    assert "Ctrl-C" in guide


def test_lines_for_curl_can_be_pasted() -> None:
    guide = demo_guide("http://localhost:8123", UUID)
    commands = [shlex.split(line) for line in guide.splitlines() if line.startswith("  curl")]
    urls = [words[2] for words in commands]
    assert urls[0] == "http://localhost:8123/api/repos/info"
    assert all(url.startswith(f"http://localhost:8123/api/node/{UUID}/em/") for url in urls[1:])
    assert all(len(words) in {3, 5, 9} for words in commands)


def test_importing_the_demo_stays_quick() -> None:
    code = "import dvidpc.demo, sys; print({'numpy', 'tensorstore', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
