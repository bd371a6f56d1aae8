"""The demo's configuration is valid, and its guide can be followed."""

import shlex
from pathlib import Path

from dvidpc.config import load_config
from dvidpc.demo import demo_config_text, demo_guide

UUID = "28841c8277e044a7b187dda03e18da13"


def test_the_config_is_one_that_dvidpc_reads(tmp_path: Path) -> None:
    file = tmp_path / "demo.toml"
    file.write_text(demo_config_text(Path('/a home/of "me"/é'), "127.0.0.1:8123"))
    config = load_config(file)
    image, labels, synapses = config.stores
    assert image.ref.text == "file:///a%20home/of%20%22me%22/%C3%A9"
    assert (image.alias, image.engine, image.instance) == ("demo", "ngprecomputed", "em")
    assert labels.ref.text == f"{image.ref.text}/segmentation"
    assert (labels.alias, labels.engine, labels.instance) == ("neurites", "ngprecomputed", "segmentation")
    assert synapses.ref.text == f"{image.ref.text}/synapses"
    assert (synapses.alias, synapses.instance) == ("synapses", "synapses")
    assert str(config.server.http_address) == "127.0.0.1:8123"
    assert config.repo.alias == "demo"
    assert not config.warnings


def test_the_guide_names_what_each_client_needs() -> None:
    guide = demo_guide("http://localhost:8123/", UUID)
    assert f"dvid://http://localhost:8123/{UUID}/em\n" in guide
    lines = [line.split() for line in guide.splitlines()]
    for field in (["host", "localhost"], ["port", "8123"], ["UUID", UUID], ["grayscale", "em"]):
        assert field in lines
    assert ["segmentation", "segmentation"] in lines
    assert ["synapse", "synapses"] in lines
    assert f"dvid://http://localhost:8123/{UUID}/segmentation\n" in guide
    assert "Ctrl-C" in guide


def test_lines_for_curl_can_be_pasted() -> None:
    guide = demo_guide("http://localhost:8123", UUID)
    commands = [shlex.split(line) for line in guide.splitlines() if line.startswith("  curl")]
    urls = [words[2] for words in commands]
    assert urls[0] == "http://localhost:8123/api/repos/info"
    node = f"http://localhost:8123/api/node/{UUID}"
    instances = {url.removeprefix(f"{node}/").partition("/")[0] for url in urls[1:]}
    assert instances == {"em", "segmentation", "synapses", "synapses_labelsz"}
    assert all(len(words) in {3, 5, 9} for words in commands)
