"""`skip_scales` leaves scales out of what is served; the others keep DVID's names."""

import json
from pathlib import Path

import pytest

from dvidpc.config import load_config
from dvidpc.config.changes import changed_stores
from dvidpc.sources.buckets import settings_of
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume


async def test_the_first_scale_that_is_left_is_served_by_the_name_of_the_instance(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(300, 260, 200), scale_levels=4, encoding="jpeg")
    write_volume(tmp_path / "em", spec)
    text = config_text({"em": tmp_path / "em"}) + "skip_scales = [0, 2]\n"
    async with serving(text, tmp_path) as server:
        info = json.loads(await server.get("/api/repos/info"))
        [repo] = info.values()
        sizes = {
            name: [part + 1 for part in instance["Extended"]["MaxPoint"]]
            for name, instance in repo["DataInstances"].items()
        }
        levels = {
            name: instance["Extended"]["ScaleLevel"] for name, instance in repo["DataInstances"].items()
        }
        assert sizes == {"em": list(spec.scale_size(1)), "em_2": list(spec.scale_size(3))}
        assert levels == {"em": 0, "em_2": 2}
        chunk = (tmp_path / "em" / "s1" / "0-64_0-64_0-64").read_bytes()
        assert chunk in await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0")
        assert (await server.error(f"{server.node}/em_1/info"))[0] == 400


@pytest.mark.parametrize(
    ("value", "why"),
    [("[7]", "there is no scale 7"), ("[0, 1]", "all 2 scales are left out")],
)
async def test_a_list_that_does_not_fit_the_volume_is_one_line_in_readyz_and_log(
    tmp_path: Path, value: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=2))
    text = config_text({"em": tmp_path / "em"}) + f"skip_scales = {value}\n"
    async with serving(text, tmp_path) as server:
        status, reason = await server.error("/readyz")
    assert status == 503
    assert reason.startswith(f"store em: [store.em] skip_scales: {why}")
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert f"store em is not served: [store.em] skip_scales: {why}" in errors[0]


def test_a_changed_list_reopens_the_store(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    configs = []
    for value in ("[]", "[0]"):
        path.write_text(config_text({"em": "s3://bucket/em"}) + f"skip_scales = {value}\n")
        configs.append(load_config(path))
    assert changed_stores(*configs) == {"em"}
    assert [settings_of(config.stores[0]).skip_scales for config in configs] == [frozenset(), {0}]
