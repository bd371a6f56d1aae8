"""The endpoint `metadata` has DVID's keys, and the true size."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.dvid.imageblk.metadata import metadata_document
from dvidpc.formats.dvid.go_json import encode
from dvidpc.types import Point
from tests.dvid.recorded import BODIES, ROOT, VOLUMES, Volume, differing, make_instance, shape
from tests.serving import config_text, serving


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: volume.name)
def test_metadata_reads_as_dvids_with_the_true_size(volume: Volume) -> None:
    instance = make_instance(volume)
    metadata = metadata_document(instance.data, instance.data.properties(instance.store_alias))
    recorded = BODIES[f"/api/node/{ROOT}/{volume.name}/metadata"]
    assert shape(encode(metadata)) == shape(recorded)
    assert differing(metadata, recorded) <= {"Size", "MaxPoint", "MaxIndex"}
    assert [axis["Size"] for axis in json.loads(encode(metadata))["Axes"]] == list(volume.size)


def test_metadata_of_a_volume_with_negative_coordinates() -> None:
    instance = make_instance(VOLUMES[0])
    data = replace(instance.data, min_point=Point(-65, 0, 64), max_point=Point(-1, 63, 64))
    metadata = json.loads(encode(metadata_document(data, {})))
    assert [(axis["Size"], axis["Offset"]) for axis in metadata["Axes"]] == [(65, -65), (64, 0), (1, 64)]


@pytest.mark.parametrize("endpoint", ["extents", "resolution"])
async def test_extents_and_resolution_are_refused_in_dvids_words(
    endpoint: str, volume: Path, tmp_path: Path
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        path = f"{server.node}/em/{endpoint}"
        text = f"{endpoint} endpoint only supports POST HTTP verb ({path}).\n"
        assert await server.error(path) == (400, text)
