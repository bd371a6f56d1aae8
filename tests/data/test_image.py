"""DVID's image types, and what an instance of one says of itself."""

from dataclasses import replace

import pytest

from dvidpc.data.image import coarser_instance, find_voxel_type
from dvidpc.data.repo import Repo
from dvidpc.errors import RequestError
from dvidpc.types import BlockCoord, Point
from tests.opened import GRAY, IMAGE
from tests.serving import UUID


def test_block_indices_are_floor_divided_inclusive_points() -> None:
    shifted = replace(IMAGE, min_point=Point(-1, -64, 128), max_point=Point(-1, 63, 191))
    assert (IMAGE.min_index, IMAGE.max_index) == (BlockCoord(0, 0, 0), BlockCoord(2, 2, 1))
    assert (shifted.min_index, shifted.max_index) == (BlockCoord(-1, -1, 2), BlockCoord(-1, 0, 2))


def test_the_size_counts_both_end_points() -> None:
    assert IMAGE.size == (150, 130, 100)


def test_clients_read_the_geometry_from_the_info_document() -> None:
    members = IMAGE.members("em")
    assert members["Extents"] == {"MinPoint": (0, 0, 0), "MaxPoint": (149, 129, 99)}
    extended = IMAGE.properties("em")
    assert members["Extended"] == extended
    assert extended["Values"] == [{"DataType": "uint8", "Label": "uint8"}]
    assert (extended["BlockSize"], extended["GridStore"], extended["ScaleLevel"]) == ([64, 64, 64], "em", 0)


@pytest.mark.parametrize(
    ("compression", "word"), [("jpeg compression, level 32", "jpeg"), ("No compression", "none")]
)
def test_the_log_of_the_repo_names_the_compression(compression: str, word: str) -> None:
    text = replace(IMAGE, compression=compression).creation("em")
    assert text == f"compression:{word} gridstore:em scalelevel:0 versioned:true"


def test_a_coarser_scale_is_found_by_store_and_channel() -> None:
    repo = Repo(UUID, "em", "", 0.0)
    coarse = replace(GRAY, name="gray_2", data=replace(IMAGE, scale_level=2))
    others = [
        replace(coarse, name="other_2", store_alias="other"),
        replace(coarse, name="gray_c1_2", data=replace(IMAGE, scale_level=2, channel=1)),
    ]
    repo.add([GRAY, *others, coarse])
    assert coarser_instance(repo, GRAY, 0) is GRAY
    assert coarser_instance(repo, GRAY, 2) is coarse
    with pytest.raises(RequestError, match=r'^data "gray" has no scale 1$'):
        coarser_instance(repo, GRAY, 1)


@pytest.mark.parametrize(
    ("data_type", "num_channels", "type_name"),
    [
        ("uint8", 1, "uint8blk"),
        ("uint16", 1, "uint16blk"),
        ("uint32", 1, "uint32blk"),
        ("uint64", 1, "uint64blk"),
        ("float32", 1, "float32blk"),
        ("uint8", 4, "rgba8blk"),
        ("int8", 1, "uint8blk"),
        ("int16", 1, "uint16blk"),
        ("int32", 1, "uint32blk"),
    ],
)
def test_voxels_have_a_type_of_dvids(data_type: str, num_channels: int, type_name: str) -> None:
    voxel_type = find_voxel_type(data_type, num_channels)
    assert voxel_type is not None
    assert (voxel_type.data_type.name, voxel_type.value_type) == (type_name, data_type)


@pytest.mark.parametrize(
    ("data_type", "num_channels"), [("uint8", 2), ("uint16", 3), ("float64", 1), ("rgba8", 1)]
)
def test_other_voxels_have_none(data_type: str, num_channels: int) -> None:
    assert find_voxel_type(data_type, num_channels) is None
