"""On a terminal, `dvidpc check` shows a table and a progress bar."""

import asyncio
import os
import pty
import re
import sys
from pathlib import Path

from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume


async def test_a_terminal_shows_a_table_and_a_progress_bar(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(holes=((1, 1, 1),)))
    path = tmp_path / "config.toml"
    path.write_text(config_text({"em": tmp_path / "em"}))
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dvidpc", "check", "--deep", str(path)),
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = await asyncio.to_thread(_read_all, ours)
    assert await process.wait() == 0
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "em scale 0: counting chunks" in plain
    assert re.search(r"│ ok +│ scale 0: 150 x 130 x 100 voxels", plain)
    assert re.search(r"│ warning │ scale 0: 17 of 18 chunks of 64 x 64 x 64 are stored", plain)
    assert "│ fix: if the chunks should exist, upload them from a complete copy: rsync" in plain


def _read_all(terminal: int) -> str:
    """Return what is written to a terminal until it is closed, which Linux reports as EIO."""
    data = b""
    try:
        while piece := os.read(terminal, 65536):
            data += piece
    except OSError:
        pass
    finally:
        os.close(terminal)
    return data.decode()
