"""The documents of a volume are read in a few requests; a refusal is not absence."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.errors import ConfigError, FormatError, NoMetadataError, StoreError, StoreRefusedError
from dvidpc.formats.arrays.bundle import decode_bundle
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.window import Window
from dvidpc.sources.arrays.array_engine import Arrays
from dvidpc.sources.block_service import Service
from dvidpc.sources.plan import VolumeSettings
from dvidpc.sources.scale_plan import LabelType
from dvidpc.storage.base import Blob
from tests.array_volumes import levels_of, tissue, write_cosem_n5, write_ome_zarr
from tests.segments import MemoryStore

ZARR, N5 = Arrays("zarr"), Arrays("n5")
SETTINGS = VolumeSettings("em", "em", 64, engine="zarr")
LEVELS = levels_of(tissue((70, 70, 70)), 3)


class Guarded(MemoryStore):
    """A store that refuses some keys, and says 403 of what does not exist if it does not list."""

    def __init__(self, directory: Path, refused: Collection[str] = (), *, lists: bool = True) -> None:
        files = [path for path in directory.rglob("*") if path.is_file()]
        super().__init__({str(path.relative_to(directory)): path.read_bytes() for path in files})
        self.refused = refused
        self.lists = lists
        self.metadata: list[str] = []

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        if is_metadata:
            self.metadata.append(key)
        blob = await super().get(key, max_size=max_size)
        if key in self.refused or (blob is None and not self.lists):
            raise StoreRefusedError(f"{key} is refused", 403)
        return blob


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    write_ome_zarr(tmp_path / "v2", LEVELS)
    write_ome_zarr(tmp_path / "v3", LEVELS, version="0.5")
    write_cosem_n5(tmp_path / "n5", LEVELS)
    return tmp_path


@pytest.mark.parametrize("name", ["v2", "v3", "n5"])
async def test_few_documents_are_read_in_few_steps(volume: Path, name: str) -> None:
    store = Guarded(volume)
    metadata = await (N5 if name == "n5" else ZARR).load(store, replace(SETTINGS, directory=name))
    assert len(store.asked) <= 4 + len(LEVELS) * 2 + 1
    assert store.round_trips <= 4
    [key] = store.metadata
    assert key in {"v2/.zattrs", "v3/zarr.json", "n5/attributes.json"}
    assert metadata.url == f"memory://bucket/{name}"
    again = await (N5 if name == "n5" else ZARR).load(store, replace(SETTINGS, directory=name))
    assert again == metadata


async def test_what_a_bucket_refuses_where_listing_is_forbidden_is_absent_if_another_is_read(
    volume: Path,
) -> None:
    store = Guarded(volume, lists=False)
    metadata = await ZARR.load(store, replace(SETTINGS, directory="v2"))
    assert decode_bundle(metadata.data)["zarr.json"] is None
    with pytest.raises(StoreRefusedError):
        await ZARR.load(store, replace(SETTINGS, directory="nothing"))


async def test_refused_document_of_a_level_is_a_failure(volume: Path) -> None:
    store = Guarded(volume, {"v2/s1/.zarray"})
    with pytest.raises(StoreRefusedError):
        await ZARR.load(store, replace(SETTINGS, directory="v2"))


async def test_failure_is_not_absence(volume: Path) -> None:
    store = Guarded(volume)
    store.broken = True
    with pytest.raises(StoreError):
        await ZARR.load(store, replace(SETTINGS, directory="v2"))


async def test_place_without_documents_is_named(volume: Path) -> None:
    with pytest.raises(NoMetadataError, match=r"memory://bucket/v2/s0/0: there is no zarr\.json") as caught:
        await ZARR.load(Guarded(volume), replace(SETTINGS, directory="v2/s0/0"))
    assert caught.value.engine is None


@pytest.mark.parametrize(
    ("directory", "engine", "words"),
    [
        ("v2", N5, 'there is an OME-Zarr group: write engine = "zarr"'),
        ("v3", N5, 'there is an OME-Zarr group: write engine = "zarr"'),
        ("v2/s0", N5, 'there is a zarr v2 array: write engine = "zarr"'),
        ("n5", ZARR, 'there is an N5 group: write engine = "n5"'),
        ("n5/s0", ZARR, 'there is an N5 dataset: write engine = "n5"'),
        ("pre", ZARR, 'there is an info, as of a precomputed volume: write engine = "ngprecomputed"'),
    ],
)
async def test_other_format_in_the_place_is_named(
    volume: Path, directory: str, engine: Arrays, words: str
) -> None:
    (volume / "pre").mkdir()
    (volume / "pre" / "info").write_text("{}")
    settings = replace(SETTINGS, directory=directory, engine=engine.engine)
    with pytest.raises(NoMetadataError) as caught:
        await engine.load(Guarded(volume), settings)
    assert words in str(caught.value)
    assert caught.value.engine is not None


async def test_documents_become_a_plan(volume: Path) -> None:
    settings = replace(SETTINGS, directory="v2", skip_scales=frozenset({0}))
    plan = ZARR.plan(await ZARR.load(Guarded(volume), settings), settings)
    assert [scale.level for scale in plan.scales] == [1, 2]
    assert [scale.resolution_nm for scale in plan.scales] == [(16.0,) * 3, (32.0,) * 3]
    assert [one.name for scale in plan.scales for one in plan.instances_of(scale)] == ["em", "em_1"]
    assert plan.scales[0].service is Service.RE_ENCODED
    assert plan.warnings == ()
    assert plan.label_types == ()


async def test_segmentation_is_one_labelmap(volume: Path) -> None:
    settings = replace(SETTINGS, directory="v3", is_labels=True)
    plan = ZARR.plan(await ZARR.load(Guarded(volume), settings), settings)
    assert plan.label_types == (LabelType.LABELMAP,)
    assert len(plan.labelmap_scales) == 3


async def test_keys_that_do_not_fit_are_named(volume: Path) -> None:
    settings = replace(SETTINGS, directory="v2")
    metadata = await ZARR.load(Guarded(volume), settings)
    labels = replace(settings, is_labels=True, window=Window(0, 9))
    with pytest.raises(ConfigError, match=r"^\[store\.em\] window: is for images"):
        ZARR.plan(metadata, labels)
    fixed = replace(settings, arrays=ArraySelection(at=(("t", 3),)))
    with pytest.raises(ConfigError, match=r"^\[store\.em\] at: there is no axis 't'"):
        ZARR.plan(metadata, fixed)
    with pytest.raises(ConfigError, match=r"^\[store\.em\] skip_scales: there is no scale 7"):
        ZARR.plan(metadata, replace(settings, skip_scales=frozenset({7})))


async def test_floats_are_no_labels(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path, [tissue((20, 20, 20), "float32")])
    settings = replace(SETTINGS, is_labels=True)
    metadata = await ZARR.load(Guarded(tmp_path), settings)
    with pytest.raises(ConfigError, match=r'^\[store\.em\] type: voxels are float32, .*type = "image"'):
        ZARR.plan(metadata, settings)


async def test_level_of_another_type_is_not_served(tmp_path: Path) -> None:
    fine = tissue((70, 70, 70))
    write_ome_zarr(tmp_path, [fine, fine[::2, ::2, ::2].astype("uint16")])
    plan = ZARR.plan(await ZARR.load(Guarded(tmp_path), SETTINGS), SETTINGS)
    [problem] = plan.problems
    assert (problem.level, problem.reason) == (1, "s1: data type is uint16; that of the first level uint8")


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"{}", b'{"multiscales": 3}'])
async def test_damaged_documents_are_an_error_that_names_the_volume(volume: Path, document: bytes) -> None:
    store = Guarded(volume)
    store.objects["v2/.zattrs"] = document
    settings = replace(SETTINGS, directory="v2")
    with pytest.raises(FormatError, match=r"memory://bucket/v2"):
        ZARR.plan(await ZARR.load(store, settings), settings)
