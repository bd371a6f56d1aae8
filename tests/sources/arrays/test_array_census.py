"""Stored chunks of arrays are counted by listing or by asking; holes are no damage, and damage is no hole."""

import struct
from dataclasses import replace
from pathlib import Path

import google_crc32c
import pytest

from dvidpc.errors import StoreError
from dvidpc.sources.arrays.array_engine import Arrays
from dvidpc.sources.base import StoredScale
from dvidpc.sources.counting import ChunkCount, Slip
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import parse_ref
from tests.array_volumes import tissue, write_cosem_n5, write_ome_zarr
from tests.drawn_arrays import DrawnArray, write_array

SETTINGS = VolumeSettings("em", "em", 64, engine="zarr")
HOLES = frozenset({0, 5, 26})
SHAPE, CHUNK = (20, 20, 20), (8, 8, 8)
ARRAYS = {
    "nested": DrawnArray("zarr2", "zarr", "uint8", "zyx", SHAPE, CHUNK, "zstd", holes=HOLES),
    "dotted": DrawnArray("zarr2", "zarr", "uint8", "zyx", SHAPE, CHUNK, "zstd", keys=".", holes=HOLES),
    "v3": DrawnArray("zarr3", "tensorstore", "uint8", "zyx", SHAPE, CHUNK, "zstd", holes=HOLES, fill=9),
    "sharded": DrawnArray(
        "zarr3", "tensorstore", "uint8", "zyx", SHAPE, CHUNK, "zstd", shard=(2, 2, 2), holes=HOLES
    ),
    "n5": DrawnArray("n5", "tensorstore", "uint8", "xyz", SHAPE, CHUNK, "gzip", holes=HOLES),
}


async def scale_of(place: str, engine: str = "zarr") -> StoredScale:
    source = Arrays(engine)
    settings = replace(SETTINGS, engine=engine)
    store = await open_store(BucketAccess(parse_ref(place)), UpstreamLimits(), environ={})
    try:
        return source.plan(await source.load(store, settings), settings).scales[0].stored
    finally:
        await store.close()


async def count(place: str, engine: str = "zarr", *, by_listing: bool = True) -> ChunkCount:
    access, limits = BucketAccess(parse_ref(place), has_suffixes=False), UpstreamLimits()
    stored = await scale_of(place, engine)
    store = await open_store(access, limits, environ={})
    lister = await open_lister(access, limits, environ={}) if by_listing else None
    try:
        [found] = await stored.count(store, lister, lambda _seen, _total: None)
    finally:
        await store.close()
    return found


@pytest.mark.parametrize("by_listing", [True, False])
@pytest.mark.parametrize("kind", ARRAYS)
async def test_stored_chunks_are_counted(tmp_path: Path, kind: str, *, by_listing: bool) -> None:
    drawn = ARRAYS[kind]
    write_array(drawn, tmp_path / "a")
    found = await count(f"file://{tmp_path}/a", "n5" if kind == "n5" else "zarr", by_listing=by_listing)
    assert (found.stored, found.expected) == (24, 27)
    assert found.fill == (drawn.fill or 0)
    assert found.first_absent == {"dotted": "0.0.0", "v3": "c/0/0/0", "sharded": "c/0/0/0"}.get(kind, "0/0/0")
    assert (found.damaged, found.foreign, found.hidden, found.odd) == (0, 0, 0, 0)
    assert not found.strays.kinds


@pytest.mark.parametrize("kind", ["nested", "sharded"])
async def test_channels_are_counted_together(tmp_path: Path, kind: str) -> None:
    shard = (1, 2, 2, 2) if kind == "sharded" else None
    layout = "zarr3" if kind == "sharded" else "zarr2"
    drawn = DrawnArray(
        layout, "tensorstore", "uint8", "czyx", (3, 20, 20, 20), (1, 8, 8, 8), "zstd", shard=shard
    )
    write_array(drawn, tmp_path / "a")
    found = await count(f"file://{tmp_path}/a")
    assert (found.stored, found.expected) == (81, 81)


async def test_foreign_objects_and_other_separators_are_named(tmp_path: Path) -> None:
    write_array(ARRAYS["nested"], tmp_path / "a")
    for name in ("9/9/9", "0.0.1", "notes.txt", ".zattrs", "0/0/.zattrs", "0/-1/0", "0/0/00"):
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_bytes(b"{}")
    found = await count(f"file://{tmp_path}/a")
    assert (found.stored, found.foreign, found.first_foreign) == (24, 1, "9/9/9")
    [stray] = found.strays.found
    assert (stray.slip, stray.detail, stray.example, stray.intended) == (
        Slip.SEPARATOR,
        ".",
        "0.0.1",
        "0/0/1",
    )


async def test_array_whose_chunks_have_another_separator_is_surveyed(tmp_path: Path) -> None:
    write_array(ARRAYS["dotted"], tmp_path / "a")
    document = tmp_path / "a" / ".zarray"
    document.write_text(
        document.read_text().replace('"dimension_separator": "."', '"dimension_separator": "/"')
    )
    stored = await scale_of(f"file://{tmp_path}/a")
    access = BucketAccess(parse_ref(f"file://{tmp_path}/a"), has_suffixes=False)
    lister = await open_lister(access, UpstreamLimits(), environ={})
    assert lister is not None
    survey = await stored.survey(lister)
    await lister.close()
    assert survey.listed == 0
    assert [(stray.slip, stray.detail) for stray in survey.strays.found] == [(Slip.SEPARATOR, ".")]
    assert (await count(f"file://{tmp_path}/a")).stored == 0


async def test_empty_chunk_is_damage(tmp_path: Path) -> None:
    write_array(ARRAYS["v3"], tmp_path / "a")
    (tmp_path / "a" / "c" / "1" / "1" / "1").write_bytes(b"")
    found = await count(f"file://{tmp_path}/a")
    assert found.damaged == 1
    assert found.damage[0].endswith("a/c/1/1/1: chunk is empty (0 bytes)")


async def test_shard_that_was_cut_off_anywhere_is_damage(tmp_path: Path) -> None:
    write_array(ARRAYS["sharded"], tmp_path / "a")
    shard = tmp_path / "a" / "c" / "0" / "0" / "0"
    whole = shard.read_bytes()
    for size in (0, 1, 131, 132, len(whole) // 2, len(whole) - 1):
        shard.write_bytes(whole[:size])
        found = await count(f"file://{tmp_path}/a")
        assert found.damaged == 1, size
        assert "a/c/0/0/0" in found.damage[0]


async def test_index_that_points_beyond_its_shard_is_damage(tmp_path: Path) -> None:
    write_array(ARRAYS["sharded"], tmp_path / "a")
    shard = tmp_path / "a" / "c" / "0" / "0" / "0"
    data = bytearray(shard.read_bytes())
    index = len(data) - 132
    data[index + 16 : index + 32] = struct.pack("<2Q", 10**7, 40)
    data[-4:] = struct.pack("<I", google_crc32c.value(bytes(data[index:-4])))
    shard.write_bytes(bytes(data))
    found = await count(f"file://{tmp_path}/a")
    assert found.damaged == 1


async def test_too_many_objects_are_not_asked_for(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "a", [tissue((8, 8, 8))])
    document = tmp_path / "a" / "s0" / ".zarray"
    document.write_text(
        document.read_text()
        .replace('"chunks":[64,64,64]', '"chunks":[1,1,1]')
        .replace('"shape":[8,8,8]', '"shape":[800,800,800]')
    )
    with pytest.raises(StoreError, match="too many to ask for"):
        await count(f"file://{tmp_path}/a", by_listing=False)


async def test_levels_of_n5_are_counted(tmp_path: Path) -> None:
    write_cosem_n5(tmp_path / "a", [tissue((70, 70, 70))])
    found = await count(f"file://{tmp_path}/a", "n5")
    assert (found.stored, found.expected) == (8, 8)
