"""Documents of public data sets and of the programs that write such data, by the name of the data set.

None of these buckets was read. The documents are written by hand from facts in public code and
documentation: extents, resolutions, keys and their order. Names of documents are relative to the directory
that is served.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

Documents = dict[str, bytes | None]
Json = dict[str, Any]


def zarray(shape: list[int], chunks: list[int], dtype: str = "|u1", **more: object) -> Json:
    return {
        "zarr_format": 2,
        "shape": shape,
        "chunks": chunks,
        "dtype": dtype,
        "compressor": {"id": "zstd", "level": 6},
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
        **more,
    }


def zarr_json(
    shape: list[int], outer: list[int], inner: list[int], data_type: str, names: list[str] | None
) -> Json:
    """Return an array as WEBKNOSSOS writes it: sharded, transposed to F order, zstd or blosc with crc32c."""
    order = list(reversed(range(len(shape))))
    document: Json = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": outer}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [
            {
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": inner,
                    "codecs": [
                        {"name": "transpose", "configuration": {"order": order}},
                        {"name": "bytes", "configuration": {"endian": "little"}},
                        {"name": "zstd", "configuration": {"level": 5, "checksum": True}},
                    ],
                    "index_codecs": [
                        {"name": "bytes", "configuration": {"endian": "little"}},
                        {"name": "crc32c"},
                    ],
                    "index_location": "end",
                },
            }
        ],
        "attributes": {},
        "storage_transformers": [],
    }
    if names is not None:
        document["dimension_names"] = names
    return document


def n5_dataset(dimensions: list[int], block: list[int], data_type: str, **more: object) -> Json:
    return {
        "dimensions": dimensions,
        "blockSize": block,
        "dataType": data_type,
        "compression": {"type": "gzip", "useZlib": False, "level": -1},
        **more,
    }


def bundle(named: Mapping[str, Json | None]) -> Documents:
    """Return documents as bytes."""
    return {name: None if value is None else json.dumps(value).encode() for name, value in named.items()}


def ome_axes(names: str, unit: str | None) -> list[Json]:
    kinds = {"t": "time", "c": "channel"}
    axes: list[Json] = [{"name": name, "type": kinds.get(name, "space")} for name in names]
    for axis in axes:
        if axis["type"] == "space" and unit is not None:
            axis["unit"] = unit
    return axes


def ome_dataset(path: str, scale: list[float], translation: list[float] | None = None) -> Json:
    steps: list[Json] = [{"type": "scale", "scale": scale}]
    if translation is not None:
        steps.append({"type": "translation", "translation": translation})
    return {"path": path, "coordinateTransformations": steps}


def _liver() -> Documents:
    """OpenOrganelle jrc_mus-liver-zon-1, `recon-1/em/fibsem-uint8`: zarr v2, OME 0.4, centres, 8 nm."""
    size = [49645, 21451, 23601]
    named: dict[str, Json | None] = {"zarr.json": None, ".zarray": None}
    datasets = []
    for level in range(15):
        factor = 2**level
        scale = [8.0 * factor] * 3
        datasets.append(ome_dataset(f"s{level}", scale, [4.0 * (factor - 1)] * 3))
        shape = [max(1, n // factor) for n in size]
        named[f"s{level}/.zarray"] = zarray(shape, [64, 128, 128])
    named[".zattrs"] = {
        "multiscales": [
            {
                "version": "0.4",
                "name": "",
                "axes": ome_axes("zyx", "nanometer"),
                "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}],
                "datasets": datasets,
            }
        ]
    }
    return bundle(named)


def _hela() -> Documents:
    """OpenOrganelle jrc_hela-2, `jrc_hela-2.n5/em/fibsem-uint16`: Neuroglancer's keys and COSEM's."""
    factors = [[2**level] * 3 for level in range(5)]
    group: Json = {
        "axes": ["x", "y", "z"],
        "units": ["nm", "nm", "nm"],
        "scales": factors,
        "pixelResolution": {"dimensions": [4.0, 4.0, 5.24], "unit": "nm"},
    }
    datasets = []
    named: dict[str, Json | None] = {}
    for level in range(5):
        factor = 2**level
        transform = {
            "axes": ["z", "y", "x"],
            "scale": [5.24 * factor, 4.0 * factor, 4.0 * factor],
            "translate": [2.62 * (factor - 1), 2.0 * (factor - 1), 2.0 * (factor - 1)],
            "units": ["nm", "nm", "nm"],
        }
        datasets.append({"path": f"s{level}", "transform": transform})
        size = [-(-n // factor) for n in (12000, 1600, 6368)]
        named[f"s{level}/attributes.json"] = n5_dataset(
            size,
            [384, 384, 384],
            "uint16",
            transform=transform,
            pixelResolution={"dimensions": [4.0 * factor, 4.0 * factor, 5.24 * factor], "unit": "nm"},
        )
    group["multiscales"] = [{"datasets": datasets, "name": "fibsem"}]
    named["attributes.json"] = group
    return bundle(named)


def _webknossos() -> Documents:
    """WEBKNOSSOS l4_sample color: v3 sharded, `c,x,y,z`, no translation, `ome` without its version."""
    mags = {"1": (11.24, 11.24, 28.0), "2-2-1": (22.48, 22.48, 28.0), "4-4-1": (44.96, 44.96, 28.0)}
    datasets = [ome_dataset(path, [1.0, *scale]) for path, scale in mags.items()]
    multiscale = {"name": "color", "axes": ome_axes("cxyz", "nanometer"), "datasets": datasets}
    named: dict[str, Json | None] = {
        "zarr.json": {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {"ome": {"multiscales": [multiscale]}},
        },
        ".zattrs": None,
        ".zarray": None,
    }
    for path, shape in (
        ("1", [1, 7180, 4100, 1024]),
        ("2-2-1", [1, 3590, 2050, 1024]),
        ("4-4-1", [1, 1795, 1025, 1024]),
    ):
        named[f"{path}/zarr.json"] = zarr_json(
            shape, [1, 1024, 1024, 1024], [1, 32, 32, 32], "uint8", ["c", "x", "y", "z"]
        )
    return bundle(named)


def _webknossos_bare() -> Documents:
    """The same without `ome`: `multiscales` straight in the attributes of a v3 group."""
    named = {name: data for name, data in _webknossos().items() if data is not None}
    group = json.loads(named["zarr.json"])
    group["attributes"] = group["attributes"]["ome"]
    return {**_webknossos(), "zarr.json": json.dumps(group).encode()}


def _idr() -> Documents:
    """IDR idr0101A, OME 0.4: tczyx in micrometers, moved by a stage, whole levels alike."""
    translation = [0.0, 0.0, 1.2, 52.1, 60.9]
    datasets = [
        ome_dataset(str(level), [1.0, 1.0, 0.5, 0.1 * 2**level, 0.1 * 2**level], translation)
        for level in range(2)
    ]
    multiscale = {"version": "0.4", "axes": ome_axes("tczyx", "micrometer"), "datasets": datasets}
    named: dict[str, Json | None] = {
        ".zattrs": {"multiscales": [multiscale], "omero": {"channels": []}},
        "zarr.json": None,
        ".zarray": None,
    }
    for level in range(2):
        shape = [1, 2, 10, 1024 >> level, 2048 >> level]
        named[f"{level}/.zarray"] = zarray(shape, [1, 1, 1, 512, 512], ">u2")
    return bundle(named)


def _e11() -> Documents:
    """E11 Bio PRISM `full_dataset.zarr/markers`: czyx, 18 channels of uint8."""
    datasets = [
        ome_dataset(f"s{level}", [1.0, 80.0 * 2**level, 35.0 * 2**level, 35.0 * 2**level])
        for level in range(6)
    ]
    multiscale = {"version": "0.4", "axes": ome_axes("czyx", "nanometer"), "datasets": datasets}
    named: dict[str, Json | None] = {
        ".zattrs": {"multiscales": [multiscale]},
        "zarr.json": None,
        ".zarray": None,
    }
    for level in range(6):
        shape = [18, *(-(-n // 2**level) for n in (2000, 8000, 6000))]
        named[f"s{level}/.zarray"] = zarray(shape, [18, 64, 64, 64])
    return bundle(named)


def _cryoet() -> Documents:
    """A tomogram of the CryoET portal: angstrom, no translation."""
    datasets = [ome_dataset(str(level), [13.48 * 2**level] * 3) for level in range(3)]
    multiscale = {"version": "0.4", "axes": ome_axes("zyx", "angstrom"), "datasets": datasets}
    named: dict[str, Json | None] = {
        ".zattrs": {"multiscales": [multiscale]},
        "zarr.json": None,
        ".zarray": None,
    }
    for level in range(3):
        named[f"{level}/.zarray"] = zarray(
            [n >> level for n in (500, 960, 928)], [256, 256, 256], "<f4", compressor={"id": "blosc"}
        )
    return bundle(named)


def _ome6() -> Documents:
    """OME 0.6: coordinate systems, and one `sequence` for each level."""
    datasets = []
    for level in range(2):
        steps = [
            {"type": "scale", "scale": [40.0, 4.0 * 2**level, 4.0 * 2**level]},
            {"type": "translation", "translation": [0.0, 2.0 * (2**level - 1), 2.0 * (2**level - 1)]},
        ]
        transform = {"type": "sequence", "transformations": steps, "input": f"s{level}", "output": "physical"}
        datasets.append({"path": f"s{level}", "coordinateTransformations": [transform]})
    systems = [{"name": "physical", "axes": ome_axes("zyx", "nanometer")}]
    ome = {"version": "0.6.dev3", "multiscales": [{"coordinateSystems": systems, "datasets": datasets}]}
    named: dict[str, Json | None] = {
        "zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}},
        ".zattrs": None,
        ".zarray": None,
    }
    for level in range(2):
        named[f"s{level}/zarr.json"] = zarr_json(
            [100, 512 >> level, 512 >> level], [100, 256, 256], [20, 64, 64], "uint16", None
        )
    return bundle(named)


def _bdv() -> Documents:
    """BigDataViewer, opened at `setup0/timepoint0`: the factors lie in the directory above."""
    named: dict[str, Json | None] = {
        "attributes.json": {"multiScale": True, "resolution": [0.4, 0.4, 2.0]},
        "../attributes.json": {
            "downsamplingFactors": [[1, 1, 1], [2, 2, 1], [4, 4, 2]],
            "dataType": "uint16",
        },
        "../../attributes.json": {"n5": "2.5.1"},
    }
    for level, size in enumerate(([1000, 900, 100], [500, 450, 100], [250, 225, 50])):
        named[f"s{level}/attributes.json"] = n5_dataset(size, [64, 64, 64], "uint16")
    return bundle(named)


def _paintera() -> Documents:
    """Paintera: a group whose child `data` has the levels; a physical offset."""
    named: dict[str, Json | None] = {
        "attributes.json": {"painteraData": {"type": "label"}, "maxId": 77},
        "data/attributes.json": {
            "multiScale": True,
            "resolution": [4.0, 4.0, 40.0],
            "offset": [400.0, 40.0, 4000.0],
        },
        "data/s0/attributes.json": n5_dataset([256, 256, 100], [64, 64, 64], "uint64"),
        "data/s1/attributes.json": n5_dataset(
            [128, 128, 100], [64, 64, 64], "uint64", downsamplingFactors=[2, 2, 1]
        ),
    }
    for level in range(2, 8):
        named[f"data/s{level}/attributes.json"] = None
    return bundle(named)


def _n5_viewer() -> Documents:
    """n5-viewer's new form: every level says its own factors, and a bare `pixelResolution` is in µm."""
    named: dict[str, Json | None] = {
        "attributes.json": {},
        "../attributes.json": {"n5": "2.5.0"},
        "../../attributes.json": None,
    }
    for level in range(3):
        named[f"s{level}/attributes.json"] = n5_dataset(
            [n >> level for n in (512, 256, 128)],
            [64, 64, 64],
            "uint8",
            downsamplingFactors=[2**level] * 3,
            pixelResolution=[0.016, 0.016, 0.04],
        )
    for level in range(3, 8):
        named[f"s{level}/attributes.json"] = None
    return bundle(named)


def _bossdb() -> Documents:
    """BossDB's N5 proxy: four dimensions x, y, z, c; its `transform` claims C order for the same axes."""
    transform = {
        "axes": ["x", "y", "z", "c"],
        "ordering": "C",
        "scale": [4.0, 4.0, 40.0, 1.0],
        "units": ["nm", "nm", "nm", ""],
        "translate": [0.0, 0.0, 0.0, 0.0],
    }
    named: dict[str, Json | None] = {
        "attributes.json": {
            "axes": ["x", "y", "z", "c"],
            "scales": [[1, 1, 1, 1], [2, 2, 1, 1]],
            "pixelResolution": {"dimensions": [4.0, 4.0, 40.0, 1.0], "unit": "nm"},
            "multiscales": [
                {
                    "datasets": [
                        {"path": "s0", "transform": transform},
                        {"path": "s1", "transform": {**transform, "scale": [8.0, 8.0, 40.0, 1.0]}},
                    ]
                }
            ],
        },
        "s0/attributes.json": n5_dataset([1000, 800, 60, 1], [512, 512, 16, 1], "uint8"),
        "s1/attributes.json": n5_dataset([500, 400, 60, 1], [512, 512, 16, 1], "uint8"),
    }
    return bundle(named)


def _catmaid() -> Documents:
    """An old N5 pyramid of n5-viewer: `scales` in the group, `resolution` in nm without units."""
    named: dict[str, Json | None] = {
        "attributes.json": {
            "scales": [[1, 1, 1], [2, 2, 1]],
            "resolution": [4.0, 4.0, 40.0],
            "units": ["nm", "nm", "nm"],
        },
        "s0/attributes.json": {
            "dimensions": [2000, 1000, 40],
            "blockSize": [512, 512, 32],
            "dataType": "uint8",
            "compressionType": "gzip",
        },
        "s1/attributes.json": n5_dataset([1000, 500, 40], [512, 512, 32], "uint8"),
    }
    return bundle(named)


PUBLIC: Final[dict[str, Documents]] = {
    "liver": _liver(),
    "hela": _hela(),
    "webknossos": _webknossos(),
    "webknossos without ome": _webknossos_bare(),
    "idr": _idr(),
    "e11": _e11(),
    "cryoet": _cryoet(),
    "ome 0.6": _ome6(),
    "bdv": _bdv(),
    "paintera": _paintera(),
    "n5-viewer": _n5_viewer(),
    "bossdb": _bossdb(),
    "catmaid": _catmaid(),
}
"""The documents of each data set."""
