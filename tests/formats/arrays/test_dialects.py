"""Groups that are refused, and what their messages say; what the configuration may choose."""

import json
import re
from typing import Any

import pytest

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.bundle import decode_bundle, encode_bundle
from dvidpc.formats.arrays.dialects import (
    MARKERS,
    ArrayFormat,
    describe_volume,
    recognise,
    wanted_documents,
)
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.selection import ArraySelection
from tests.array_metadata import (
    PUBLIC,
    Documents,
    bundle,
    n5_dataset,
    ome_axes,
    ome_dataset,
    zarr_json,
    zarray,
)

PLAIN = ArraySelection()
N5, ZARR = ArrayFormat.N5, ArrayFormat.ZARR


def read(kind: ArrayFormat, stored: Documents, selection: ArraySelection = PLAIN) -> ArrayVolume:
    """Read what is asked for, where all other documents are absent."""
    known: dict[str, bytes | None] = {}
    while wanted := wanted_documents(kind, known, selection):
        assert not set(wanted) & set(known)
        known |= {name: stored.get(name) for name in wanted}
    return describe_volume(kind, known, selection)


def ome_group(changes: dict[str, Any] | None = None, arrays: dict[str, Any] | None = None) -> Documents:
    """Return a v2 group of two levels, its first multiscale changed."""
    multiscale = {
        "version": "0.4",
        "name": "em",
        "axes": ome_axes("zyx", "nanometer"),
        "datasets": [ome_dataset("0", [40.0, 4.0, 4.0]), ome_dataset("1", [40.0, 8.0, 8.0])],
        **(changes or {}),
    }
    levels = {
        "0/.zarray": zarray([10, 64, 64], [10, 32, 32]),
        "1/.zarray": zarray([10, 32, 32], [10, 32, 32]),
    }
    return bundle({".zattrs": {"multiscales": [multiscale]}, **levels, **(arrays or {})})


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "a group without multiscales; write the path of an image or an array into ref"),
        ({"plate": {}}, "is a plate or well of OME-Zarr"),
        ({"well": {}}, "is a plate or well of OME-Zarr"),
        ({"bioformats2raw.layout": 3}, "write the path of one into ref, such as 0"),
        ({"labels": ["cells", "nuclei"]}, "write the path of one into ref: \\['cells', 'nuclei'\\]"),
        ({"multiscales": []}, "a group without multiscales"),
        ({"multiscales": [7]}, "is 7, not a JSON object"),
        ({"multiscales": [{"version": "0.4"}]}, "datasets is missing"),
        (
            {"multiscales": [{"version": "0.3", "axes": ["z", "y", "x"], "datasets": [{"path": "0"}]}]},
            "multiscales of version 0.3 have no coordinateTransformations",
        ),
    ],
)
def test_groups_of_other_kinds_are_refused_by_name(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(ZARR, bundle({".zattrs": attributes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"datasets": []}, "datasets has 0 entries"),
        ({"datasets": [ome_dataset("0", [1.0, 1.0])]}, "scale is \\[1.0, 1.0\\]; there are 3 axes"),
        ({"datasets": [ome_dataset("/0", [1.0] * 3)]}, "path is '/0', not a relative path"),
        (
            {"datasets": [ome_dataset("0", [0.0, 4.0, 4.0])]},
            "0: scale is .*, which is not positive and plausible",
        ),
        ({"datasets": [ome_dataset("0", [1e299, 1e299, 1e299])]}, "which is not positive and plausible"),
        (
            {"datasets": [ome_dataset("0", [4.0] * 3, [1e200] * 3)]},
            "translation is .*, which is not plausible",
        ),
        ({"datasets": [ome_dataset("0", [40.0, -4.0, 4.0])]}, "which is not positive"),
        (
            {"datasets": [{"path": "0", "coordinateTransformations": [{"type": "affine", "affine": []}]}]},
            "coordinateTransformations has 'affine'; only scale and translation",
        ),
        (
            {"datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "path": "s"}]}]},
            "coordinateTransformations has 'scale'; only",
        ),
        ({"axes": [{"name": "q"}, {"name": "y"}, {"name": "x"}]}, "axis 'q' has 10 positions"),
        ({"axes": ome_axes("zy", "nanometer")}, "there are 2 axes"),
    ],
)
def test_a_malformed_multiscale_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(ZARR, ome_group(changes))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"1/.zarray": None}, "1: there is no .zarray"),
        ({"1/.zarray": {"zarr_format": 2}}, "1: shape is missing"),
        ({"1/.zarray": zarray([10, 32, 32], [10, 32, 32], "<f8")}, "1: dtype is 'float64'"),
        (
            {"1/.zarray": zarray([10, 32, 32], [10, 32, 32], "<u2")},
            "1: data type is uint16; that of the first",
        ),
        ({"1/.zarray": zarray([32, 32], [32, 32])}, "1: axes 'zyx' are 3; the array has 2 dimensions"),
        (
            {"1/.zarray": zarray([10, 32, 32], [10, 32, 32], filters=[{"id": "delta"}])},
            "1: filters are \\['delta'\\]",
        ),
    ],
)
def test_a_level_that_cannot_be_served_leaves_the_others(arrays: dict[str, Any], reason: str) -> None:
    volume = read(ZARR, ome_group(arrays=arrays))
    assert [level.level for level in volume.levels] == [0]
    (refused,) = volume.refused
    assert refused.level == 1
    assert re.match(reason, refused.reason), refused.reason


def test_where_no_level_is_left_the_first_reason_is_said() -> None:
    with pytest.raises(FormatError, match=r"no level can be served: 0: there is no \.zarray"):
        read(ZARR, ome_group(arrays={"0/.zarray": None, "1/.zarray": None}))


def test_the_first_multiscale_is_served_or_the_one_that_is_chosen() -> None:
    stored = ome_group()
    group = json.loads(stored[".zattrs"] or b"")
    second = {**group["multiscales"][0], "name": "other", "datasets": [ome_dataset("1", [80.0, 8.0, 8.0])]}
    group["multiscales"].append(second)
    stored = {**stored, ".zattrs": json.dumps(group).encode()}
    volume = read(ZARR, stored)
    assert len(volume.levels) == 2
    assert volume.warnings == ("there are 2 multiscales; the first is served; the key multiscale chooses",)
    volume = read(ZARR, stored, ArraySelection(multiscale="other"))
    assert [level.resolution_nm for level in volume.levels] == [(8, 8, 80)]
    assert volume.warnings == ()
    with pytest.raises(ConfigError, match="multiscale: there is none named 'third'"):
        read(ZARR, stored, ArraySelection(multiscale="third"))


def test_transformations_of_the_multiscale_come_on_top() -> None:
    on_top = [
        {"type": "scale", "scale": [1.0, 10.0, 10.0]},
        {"type": "translation", "translation": [80.0, 0.0, 0.0]},
    ]
    volume = read(ZARR, ome_group({"coordinateTransformations": on_top}))
    assert [level.resolution_nm for level in volume.levels] == [(40, 40, 40), (80, 80, 40)]
    assert [tuple(level.grid.offset) for level in volume.levels] == [(0, 0, 2), (0, 0, 2)]


def test_label_images_are_known_as_such() -> None:
    stored = ome_group()
    group = json.loads(stored[".zattrs"] or b"")
    group["image-label"] = {"version": "0.4", "source": {"image": "../../"}}
    volume = read(ZARR, {**stored, ".zattrs": json.dumps(group).encode()})
    assert volume.is_labels is True
    assert read(ZARR, stored).is_labels is None


@pytest.mark.parametrize(
    ("unit", "resolution", "warning"),
    [
        ("nanometer", (4, 4, 40), ""),
        ("micrometer", (4000, 4000, 40_000), ""),
        (None, (4, 4, 40), "axis z has no unit, y has no unit, x has no unit: lengths are taken as nm"),
        ("smoot", (4, 4, 40), "z has the unit 'smoot'"),
    ],
)
def test_units_become_nanometres(
    unit: str | None, resolution: tuple[float, float, float], warning: str
) -> None:
    volume = read(ZARR, ome_group({"axes": ome_axes("zyx", unit)}))
    assert volume.levels[0].resolution_nm == resolution
    assert warning in "".join(volume.warnings)
    assert len(volume.warnings) == bool(warning)


def test_levels_that_do_not_cover_the_same_space_are_named() -> None:
    datasets = [ome_dataset("0", [40.0, 4.0, 4.0]), ome_dataset("1", [40.0, 16.0, 16.0])]
    volume = read(ZARR, ome_group({"datasets": datasets}))
    assert volume.warnings == ("levels 1 do not cover the space of the first; their scale may be wrong",)


def test_both_versions_are_there() -> None:
    stored = bundle(
        {
            "zarr.json": zarr_json([64, 64, 64], [64, 64, 64], [32, 32, 32], "uint8", ["z", "y", "x"]),
            ".zarray": zarray([10, 20, 30], [10, 20, 30], "<u2"),
        }
    )
    assert read(ZARR, stored).described_as == "zarr v3 array"
    assert read(ZARR, stored, ArraySelection(zarr_version=3)).described_as == "zarr v3 array"
    assert read(ZARR, stored, ArraySelection(zarr_version=2)).described_as == "zarr v2 array"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (None, "there is no zarr.json or .zattrs or .zarray"),
        (2, "no .zattrs or .zarray"),
        (3, "no zarr.json"),
    ],
)
def test_nothing_is_there(version: int | None, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(ZARR, {}, ArraySelection(zarr_version=version))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"nonsense", b"[" * 100_000, b'"\xff"', b"\xff\xfe"])
def test_documents_that_are_no_json_objects_are_named(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"\.zattrs is not"):
        read(ZARR, {".zattrs": data})
    with pytest.raises(FormatError, match=r"attributes\.json is not"):
        read(N5, {"attributes.json": data})


def test_python_writes_numbers_that_json_lacks() -> None:
    stored = ome_group()
    text = (stored[".zattrs"] or b"").replace(b'"em"', b'"em", "mean": NaN, "max": Infinity')
    assert len(read(ZARR, {**stored, ".zattrs": text}).levels) == 2


LONE = {".zarray": zarray([2, 5, 6, 7], [1, 5, 6, 7])}


def test_a_lone_array_has_the_usual_axes_unless_it_or_the_configuration_names_them() -> None:
    volume = read(ZARR, bundle(LONE))
    assert volume.num_channels == 2
    assert tuple(volume.levels[0].grid.size) == (7, 6, 5)
    assert volume.levels[0].resolution_nm == (1.0, 1.0, 1.0)
    assert volume.warnings == ("no resolution is given: taken as 1 nm; set the key resolution",)

    named = bundle({**LONE, ".zattrs": {"_ARRAY_DIMENSIONS": ["channel", "X", "Y", "Z"]}})
    assert tuple(read(ZARR, named).levels[0].grid.size) == (5, 6, 7)

    volume = read(ZARR, named, ArraySelection(axes="xyzc", resolution_nm=(4, 4, 40)))
    assert volume.num_channels == 7
    assert tuple(volume.levels[0].grid.size) == (2, 5, 6)
    assert volume.levels[0].resolution_nm == (4.0, 4.0, 40.0)
    assert volume.warnings == ()

    with pytest.raises(ConfigError, match="axes: 'zyx' names 3 of 4 dimensions"):
        read(ZARR, named, ArraySelection(axes="zyx"))


def test_resolution_and_offset_of_funlib_are_read() -> None:
    attributes = {"resolution": [40, 4, 4], "offset": [4000, 40, -400], "units": ["nm", "nm", "nm"]}
    stored = bundle({".zarray": zarray([5, 6, 7], [5, 6, 7]), ".zattrs": attributes})
    (level,) = read(ZARR, stored).levels
    assert level.resolution_nm == (4.0, 4.0, 40.0)
    assert tuple(level.grid.offset) == (-100, 10, 100)


def test_a_plane_is_one_voxel_thick() -> None:
    (level,) = read(ZARR, bundle({".zarray": zarray([6, 7], [3, 4])})).levels
    assert tuple(level.grid.size) == (7, 6, 1)
    assert tuple(level.grid.chunk_size) == (4, 3, 1)


N5_LEVELS = {
    "s0/attributes.json": n5_dataset([64, 64, 10], [32, 32, 10], "uint8"),
    "s1/attributes.json": n5_dataset([32, 32, 5], [32, 32, 10], "uint8"),
}


def test_levels_of_n5_without_any_key_are_found_by_their_names() -> None:
    volume = read(N5, bundle(N5_LEVELS))
    assert [level.resolution_nm for level in volume.levels] == [(1, 1, 1), (2, 2, 2)]
    assert "no resolution is given" in volume.warnings[0]
    assert "s1: no downsamplingFactors" in volume.warnings[1]


def test_more_levels_than_are_probed_at_once_are_found() -> None:
    many = {
        f"s{level}/attributes.json": n5_dataset(
            [64, 64, 64], [64, 64, 64], "uint8", downsamplingFactors=[1] * 3
        )
        for level in range(11)
    }
    assert len(read(N5, bundle(many)).levels) == 11


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ({}, "no N5 array or group of levels"),
        ({"attributes.json": {"n5": "2.0.0"}}, "no N5 array or group of levels"),
        (
            {"attributes.json": {"scales": [[1, 1, 1]]}},
            "no level can be served: s0: there is no attributes.json",
        ),
        ({"attributes.json": {"scales": [["a"]]}}, "scales is not a list of numbers"),
        ({"attributes.json": {"scales": [[1]] * 65}}, "scales has 65 entries; the limit is 64"),
        (
            {
                "attributes.json": {"painteraData": {"type": "label"}},
                "data/attributes.json": {"isLabelMultiset": True},
                "data/s0/attributes.json": n5_dataset([8] * 3, [8] * 3, "uint8", isLabelMultiset=True),
            },
            "isLabelMultiset is true",
        ),
    ],
)
def test_n5_that_cannot_be_served_is_refused_by_name(documents: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(N5, bundle(documents))


def test_keys_that_contradict_each_other_are_said() -> None:
    transform = {
        "axes": ["z", "y", "x"],
        "scale": [4.0, 4.0, 40.0],
        "translate": [0.0] * 3,
        "units": ["nm"] * 3,
    }
    group = {
        "axes": ["x", "y", "z"],
        "scales": [[1, 1, 1], [2, 2, 2]],
        "pixelResolution": {"dimensions": [4.0, 4.0, 40.0], "unit": "nm"},
        "multiscales": [
            {"datasets": [{"path": path, "transform": transform} for path in ("s0", "s1")]},
        ],
    }
    volume = read(N5, bundle({"attributes.json": group, **N5_LEVELS}))
    assert volume.levels[0].resolution_nm == (4.0, 4.0, 40.0)
    assert "disagree" in volume.warnings[-1]


def test_a_lone_n5_array_multiplies_its_resolution_by_its_factors() -> None:
    document = n5_dataset(
        [64, 64, 10],
        [32, 32, 10],
        "uint8",
        pixelResolution={"dimensions": [4.0, 4.0, 40.0], "unit": "nm"},
        downsamplingFactors=[4, 4, 1],
    )
    (level,) = read(N5, bundle({"attributes.json": document})).levels
    assert level.resolution_nm == (16, 16, 40)


@pytest.mark.parametrize("name", PUBLIC)
def test_documents_survive_as_one_run_of_bytes(name: str) -> None:
    stored = PUBLIC[name]
    assert decode_bundle(encode_bundle(stored)) == stored
    assert encode_bundle(dict(reversed(stored.items()))) == encode_bundle(stored)


@pytest.mark.parametrize(
    ("documents", "kind", "text"),
    [
        ({"zarr.json": {"node_type": "array"}}, ZARR, "a zarr v3 array"),
        ({"zarr.json": {"node_type": "group"}}, ZARR, "a zarr v3 group"),
        ({".zarray": {}}, ZARR, "a zarr v2 array"),
        ({".zattrs": {}}, ZARR, "a zarr v2 group"),
        ({".zattrs": {"multiscales": [{}]}}, ZARR, "an OME-Zarr group"),
        ({"attributes.json": {"dimensions": [1]}}, N5, "an N5 dataset"),
        ({"attributes.json": {}}, N5, "an N5 group"),
    ],
)
def test_formats_are_recognised(documents: dict[str, Any], kind: ArrayFormat, text: str) -> None:
    found = recognise(bundle(documents))
    assert found is not None
    assert (found.kind, found.text) == (kind, text)


def test_nothing_is_recognised_where_nothing_is() -> None:
    assert recognise(dict.fromkeys(MARKERS)) is None
    assert recognise({"zarr.json": b"nonsense"}) is None
