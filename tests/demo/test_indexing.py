"""The demo's label index says what its voxels say."""

from pathlib import Path

import numpy as np
import pytest

from dvidpc.demo import demo_config_text, write_demo_volume
from dvidpc.types import Point
from tests.label_messages import read_label_index
from tests.label_volumes import read_labels
from tests.serving import serving


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "volume"
    write_demo_volume(directory, lambda _: None, Point(135, 131, 70))
    return directory


async def test_every_segment_is_indexed(demo: Path, tmp_path: Path) -> None:
    ids, counts = np.unique(read_labels(demo / "segmentation"), return_counts=True)
    expected = [int(n) for pair in zip(ids, counts, strict=True) if pair[0] for n in pair]
    async with serving(demo_config_text(demo, "localhost:0"), tmp_path) as server:
        node = "/api/node/:master/segmentation"
        sizes = await server.get(f"{node}/listlabels?sizes=true")
        assert np.frombuffer(sizes, "<u8").tolist() == expected
        largest = int(ids[1:][counts[1:].argmax()])
        index = read_label_index(await server.get(f"{node}/index/{largest}"))
        assert sum(one.counts[largest] for one in index.blocks.values()) == counts[1:].max()
        assert await server.get("/readyz") == b"ok\n"
