"""The table of endpoints refuses every write."""

from pathlib import Path

import pytest

from tests.cutouts import serving_volume
from tests.volumes import VolumeSpec


@pytest.mark.parametrize("endpoint", ["raw/vol/8_8_8/0_0_0", "extents", "resolution", "tile/xy/0/0_0_0"])
async def test_nothing_can_be_written(endpoint: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        path = f"{server.node}/em/{endpoint}"
        async with server.session.post(f"{server.url}{path}", data=b"[]") as response:
            assert response.status == 400
            text = f'Data "em" uses an immutable GridStore so cannot received POSTs ({path}).\n'
            assert await response.text() == text
