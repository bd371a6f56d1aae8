"""The demo's synapses, read by neuroglancer's own reader and served."""

import json
from pathlib import Path

import numpy as np
import pytest
from neuroglancer.read_precomputed_annotations import AnnotationReader
from numpy.typing import NDArray

from dvidpc.demo.fields import Axes, Floats
from dvidpc.demo.synapses import find_connections, write_synapses
from dvidpc.demo.tissue import Tissue
from tests.segmentation import write_segmentation
from tests.serving import UUID, config_text, serving

SHAPE = (64, 128, 192)
SEED = 5


@pytest.fixture(scope="module")
def labels() -> NDArray[np.uint64]:
    """The neurites, [z, y, x]."""
    return Tissue(SHAPE, SEED).draw((slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))).labels


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, labels: NDArray[np.uint64]) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "synapses"
    write_synapses(directory, labels, Tissue(SHAPE, SEED).activity, 8)
    return directory


def test_synapses_lie_where_the_tissue_is_active(labels: NDArray[np.uint64]) -> None:
    tissue = Tissue(SHAPE, SEED)
    connections = list(find_connections(labels, tissue.activity))
    assert len(connections) > 3
    for each in connections:
        assert each.bodies[0] != each.bodies[1]
        for (x, y, z), body in zip((each.start, each.stop), each.bodies, strict=True):
            assert labels[z, y, x] == body
        middle = [np.array([at // 20 * 20 + 10]) for at in reversed(each.start)]
        assert tissue.activity(middle).item() > 1.5
    starts = {each.start for each in connections}
    assert len(starts) < len({each.stop for each in connections})


def test_neuroglancer_reads_them(collection: Path, labels: NDArray[np.uint64]) -> None:
    reader = AnnotationReader(f"file://{collection}")
    info = json.loads((collection / "info").read_text())
    ids = sorted(int(file.name) for file in (collection / "by_id").iterdir())
    assert ids == [*range(1, len(ids) + 1)]
    for number in ids:
        found = reader.by_id[number]
        for place, related in zip((found.point_a, found.point_b), found.segments, strict=True):
            x, y, z = map(int, place)
            assert [labels[z, y, x]] == list(related)
    listed = {
        int(number)
        for file in (collection / info["spatial"][0]["key"]).iterdir()
        for number in ids_in(file.read_bytes())
    }
    assert listed == {*ids}


def ids_in(data: bytes) -> NDArray[np.uint64]:
    """The ids at the end of a list of records of 32 bytes."""
    count = int(np.frombuffer(data, "<u8", 1)[0])
    assert len(data) == 8 + count * (32 + 8)
    return np.frombuffer(data, "<u8", count, 8 + count * 32)


async def test_they_are_served_with_their_bodies(
    tmp_path: Path, collection: Path, labels: NDArray[np.uint64]
) -> None:
    write_segmentation(tmp_path / "seg", [labels.T])
    async with serving(config_text({"seg": tmp_path / "seg", "synapses": collection}), tmp_path) as server:
        at = f"/api/node/{UUID}"
        elements = json.loads(await server.get(f"{at}/synapses/elements/192_128_64/0_0_0"))
        assert {element["Kind"] for element in elements} == {"PreSyn", "PostSyn"}
        for element in elements:
            place = "_".join(map(str, element["Pos"]))
            body = json.loads(await server.get(f"{at}/seg/label/{place}"))["Label"]
            of_body = json.loads(await server.get(f"{at}/synapses/label/{body}?relationships=true"))
            assert element in of_body
            assert 0 < float(element["Prop"]["conf"]) <= 1


@pytest.mark.parametrize("shape", [(1, 1, 1), (19, 40, 40)])
def test_a_volume_too_small_for_a_synapse_has_none(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    def activity(_axes: Axes) -> Floats:
        raise AssertionError("nobody needs to know")

    write_synapses(tmp_path / "synapses", np.ones(shape, np.uint64), activity, 8)
    info = json.loads((tmp_path / "synapses" / "info").read_text())
    assert info["spatial"][0]["grid_shape"] == [1, 1, 1]
    assert not list((tmp_path / "synapses" / "by_id").iterdir())
