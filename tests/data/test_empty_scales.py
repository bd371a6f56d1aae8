"""A scale without chunks is named in the log while it is served, once, and without a request for it."""

from pathlib import Path

import pytest

from dvidpc.data.empty_scales import ENOUGH, EmptyScales
from dvidpc.types import ChunkCoord
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume


def cells(count: int) -> list[ChunkCoord]:
    return [ChunkCoord(x, 0, 0) for x in range(count)]


def note_absent(watch: EmptyScales, level: int, count: int) -> None:
    for cell in cells(count):
        watch.note_absent(level, cell)


@pytest.mark.parametrize("found_first", [True, False])
def test_an_empty_scale_is_named_once(found_first: bool, caplog: pytest.LogCaptureFixture) -> None:  # noqa: FBT001
    watch = EmptyScales("em", {2})
    if found_first:
        watch.note_found(1)
    note_absent(watch, 0, ENOUGH - 1)
    note_absent(watch, 0, ENOUGH - 1)  # the same chunks again
    assert caplog.messages == []
    note_absent(watch, 0, ENOUGH)
    watch.note_found(1)
    note_absent(watch, 0, 2 * ENOUGH)
    [message] = caplog.messages
    assert message == (
        "scale seems to be empty: store em: none of the first 64 chunks read of scale 0 is stored, while "
        "scale 1 has chunks; absent chunks are served as black; if it is a placeholder, set "
        "[store.em] skip_scales = [0, 2]"
    )


def test_a_sparse_scale_and_a_volume_without_any_chunk_are_not_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sparse = EmptyScales("em", ())
    sparse.note_found(0)
    sparse.note_found(1)
    note_absent(sparse, 0, 2 * ENOUGH)
    empty = EmptyScales("em", ())
    for level in (0, 1):
        note_absent(empty, level, 2 * ENOUGH)
    assert caplog.messages == []


async def test_a_placeholder_that_is_served_is_in_the_log_until_it_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(300, 300, 300), scale_levels=2))
    for chunk in (tmp_path / "em" / "s0").iterdir():
        chunk.unlink()
    text = config_text({"em": tmp_path / "em"})
    async with serving(text, tmp_path) as server:
        await server.get(f"{server.node}/em_1/subvolblocks/64_64_64/0_0_0")
        assert await server.get(f"{server.node}/em/subvolblocks/320_320_320/0_0_0") == b""
    named = [
        message for message in caplog.messages if message.startswith("scale seems to be empty: store em")
    ]
    assert len(named) == 1
    caplog.clear()
    async with serving(f"{text}skip_scales = [0]\n", tmp_path) as server:
        assert await server.get(f"{server.node}/em/subvolblocks/64_64_64/0_0_0")
        assert (await server.error(f"{server.node}/em_1/info"))[0] == 400
    assert not [message for message in caplog.messages if "seems to be empty" in message]
