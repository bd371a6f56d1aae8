"""The demo volume's directory: chosen, written once, never left half written."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from dvidpc.demo import demo_directory, ensure_demo_volume, write_demo_volume
from dvidpc.errors import ConfigError
from dvidpc.types import Point

TINY = Point(70, 45, 33)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ignore(_: float) -> None:
    pass


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
    directory, first, second = tmp_path / "dvidpc" / "demo-v5", io.StringIO(), io.StringIO()
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
    directory = tmp_path / "file" / "dvidpc" / "demo-v5"
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
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/home/me"}, "/cache/dvidpc/demo-v5"),
        ({"HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v5"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v5"),
        ({"XDG_CACHE_HOME": "not/absolute", "HOME": "/home/me"}, "/home/me/.cache/dvidpc/demo-v5"),
    ],
)
def test_the_volume_is_kept_in_the_users_cache(environ: dict[str, str], expected: str) -> None:
    assert demo_directory(environ) == Path(expected)


def test_a_user_without_a_home_is_told_what_to_set() -> None:
    with pytest.raises(ConfigError, match="XDG_CACHE_HOME"):
        demo_directory({})


def test_importing_the_demo_stays_quick() -> None:
    code = "import dvidpc.demo, sys; print({'numpy', 'tensorstore', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
