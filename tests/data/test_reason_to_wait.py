"""Data of a volume that is not open yet is told from data that there will never be."""

from pathlib import Path

import pytest

from tests.serving import config_text, serving

NOBODY = "http://127.0.0.1:1/em"
"""Where nobody answers."""


@pytest.mark.parametrize("name", ["em", "em_3", "em_c1", "em_c2_1"])
async def test_every_instance_a_closed_volume_can_have_is_503(tmp_path: Path, name: str) -> None:
    async with serving(config_text({"em": NOBODY}), tmp_path, {}) as server:
        status, text = await server.error(f"{server.node}/{name}/info")
        assert status == 503
        assert f'"{name}" is not served yet: store em' in text


@pytest.mark.parametrize("name", ["em_c0", "em_x", "other"])
async def test_other_names_are_400(tmp_path: Path, name: str) -> None:
    async with serving(config_text({"em": NOBODY}), tmp_path, {}) as server:
        assert (await server.error(f"{server.node}/{name}/info"))[0] == 400
