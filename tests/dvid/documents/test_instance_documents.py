"""The info of an instance has DVID's keys and values, with the true last voxel."""

import json
from dataclasses import replace

import pytest

from dvidpc.data.image import VOXEL_TYPES
from dvidpc.dvid.documents.instance_documents import instance_info
from dvidpc.formats.dvid.go_json import encode
from dvidpc.types import Point
from tests.dvid.recorded import BODIES, ROOT, VOLUMES, Volume, differing, make_instance, shape

# DVID names the voxel and the block after the last; we name the last.
MAX_INDICES = {
    "sample1": [2, 2, 1],
    "sample1_1": [1, 1, 0],
    "jun": [2, 2, 1],
    "raw1": [2, 2, 1],
    "raw1_1": [1, 1, 0],
}


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: volume.name)
def test_info_equals_dvids_except_for_the_last_voxel(volume: Volume) -> None:
    info = instance_info(ROOT, make_instance(volume))
    recorded = BODIES[f"/api/node/{ROOT}/{volume.name}/info"]
    assert shape(encode(info)) == shape(recorded)
    assert differing(info, recorded) <= {"DataUUID", "KVStore", "LogStore", "MaxPoint", "MaxIndex"}

    ours = json.loads(encode(info))
    last = [length - 1 for length in volume.size]
    assert ours["Extended"]["MaxPoint"] == ours["Extents"]["MaxPoint"] == last
    assert ours["Extended"]["MaxIndex"] == MAX_INDICES[volume.name]


def test_voxel_sizes_are_written_as_in_dvid() -> None:
    text = encode(instance_info(ROOT, make_instance(VOLUMES[1])))
    assert b'"VoxelSize":[16.5,16.5,33.25]' in text
    assert b'"VoxelSize":[16.5,16.5,33.25]' in BODIES[f"/api/node/{ROOT}/sample1_1/info"].encode()


def test_info_of_a_volume_with_negative_coordinates() -> None:
    instance = make_instance(VOLUMES[0])
    data = replace(instance.data, min_point=Point(-65, 0, 64), max_point=Point(-1, 63, 64))
    shifted = replace(instance, data=data)
    info = json.loads(encode(instance_info(ROOT, shifted)))
    assert info["Extents"] == {"MinPoint": [-65, 0, 64], "MaxPoint": [-1, 63, 64]}
    assert (info["Extended"]["MinIndex"], info["Extended"]["MaxIndex"]) == ([-2, 0, 1], [-1, 0, 1])


def test_colour_has_four_values() -> None:
    instance = make_instance(VOLUMES[0])
    data = replace(instance.data, voxel_type=VOXEL_TYPES["rgba8blk"], compression="No compression")
    colour = replace(instance, data=data)
    info = json.loads(encode(instance_info(ROOT, colour)))
    assert info["Base"]["TypeName"] == "rgba8blk"
    assert info["Base"]["TypeURL"] == "github.com/janelia-flyem/dvid/datatype/imageblk/rgba8.go"
    labels = ["red", "green", "blue", "alpha"]
    assert info["Extended"]["Values"] == [{"DataType": "uint8", "Label": label} for label in labels]
