"""Each kind of data is served from the disk after a restart: equal bytes, and only documents are read."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.array_volumes import tissue, write_ome_zarr
from tests.companions import legacy_objects, multilod_mesh_objects, segment_objects, write_objects
from tests.disk.sites import answers_of, disk_server, is_document
from tests.label_index import write_index
from tests.label_volumes import LabelScale, write_labels
from tests.segments import SHARDING
from tests.servers import serve, serve_directory
from tests.synapses import BIG, write_bodies, write_lines
from tests.volumes import VolumeSpec, sharding, write_volume

BLOCKS = "specificblocks?compression=uncompressed&blocks=0,0,0,1,0,0,2,1,1"
LABELS = LabelScale(np.arange(64**3, dtype=np.uint64).reshape(64, 64, 64) // 700 % 50)


class Kind(NamedTuple):
    """A kind of data: how it is written, and requests that read it."""

    write: Callable[[Path], object]
    """Writes it below a directory."""
    calls: Sequence[str]
    """Requests: instance and what follows it."""
    stores: Sequence[str] = ("em",)
    """Directories to serve."""
    engine: str = "ngprecomputed"
    more: str = ""
    """More keys of the last store; `{url}` is the web server's."""


def write_images(directory: Path) -> None:
    write_volume(directory / "em", VolumeSpec(encoding="jpeg"))


def write_shards(directory: Path) -> None:
    write_volume(directory / "em", VolumeSpec(sharding=sharding(), scale_levels=2))


def write_zipped_labels(directory: Path) -> None:
    """Write chunks that the web server serves with a Content-Encoding."""
    write_labels(directory / "em", LABELS)
    for chunk in (directory / "em" / "s0").iterdir():
        chunk.with_name(f"{chunk.name}.gz").write_bytes(gzip.compress(chunk.read_bytes(), mtime=0))
        chunk.unlink()


def write_indexed_labels(directory: Path) -> None:
    write_labels(directory / "em", LABELS)
    write_index(directory / "index", (directory / "em" / "info").read_bytes(), LABELS.labels)


def write_synapses(directory: Path) -> None:
    write_bodies(directory / "em")
    write_lines(directory / "syn")


def write_arrays(directory: Path, shard: tuple[int, int, int] | None) -> None:
    write_ome_zarr(directory / "em", [tissue((128, 128, 192))], version="0.5", shard=shard)


SIDES = ("em_meshes/key/77.ngmesh", "em_meshes/key/77.drc", "em_skeletons/key/77_swc")
KINDS = {
    "images": Kind(write_images, [f"em/{BLOCKS}", "em/raw/0_1_2/70_60_50/10_20_30"]),
    "shards": Kind(write_shards, [f"em/{BLOCKS}", f"em_1/{BLOCKS}"]),
    "labels": Kind(
        write_zipped_labels,
        [
            "em/raw/0_1_2/64_64_64/0_0_0?compression=googlegzip",
            "em/specificblocks?blocks=0,0,0",
            "em/label/1_2_3",
        ],
    ),
    "legacy": Kind(lambda at: write_objects(at / "em", segment_objects(legacy_objects())), SIDES),
    "multilod": Kind(lambda at: write_objects(at / "em", segment_objects(multilod_mesh_objects(77))), SIDES),
    "sharded_meshes": Kind(
        lambda at: write_objects(
            at / "em", segment_objects(multilod_mesh_objects(77, sharding=dict(SHARDING)))
        ),
        SIDES,
    ),
    "annotations": Kind(
        write_synapses,
        ["syn/elements/64_64_64/64_160_256", "syn/label/5?relationships=true", f"syn/label/{BIG}"],
        ("em", "syn"),
    ),
    "zarr": Kind(lambda at: write_arrays(at, None), [f"em/{BLOCKS}"], engine="zarr"),
    "zarr_shards": Kind(lambda at: write_arrays(at, (1, 2, 2)), [f"em/{BLOCKS}"], engine="zarr"),
    "label_index": Kind(
        write_indexed_labels,
        ["em/sparsevol/5?format=srles", "em/size/5", "em/sparsevol-coarse/7"],
        more='label_index = "{url}/index"\n',
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_after_a_restart_only_documents_are_read(kind: str, tmp_path: Path) -> None:
    written = KINDS[kind]
    written.write(tmp_path / "bucket")
    async with serve(serve_directory(tmp_path / "bucket")) as web:
        stores = "".join(
            f'[store.{name}]\nengine = "{written.engine}"\nref = "{web.url}/{name}"\ninstance = "{name}"\n'
            for name in written.stores
        )
        stores += written.more.format(url=web.url)
        async with disk_server(tmp_path, stores) as server:
            cold = await answers_of(server, written.calls)
        assert any(not is_document(request.path) for request in web.asked), "something was read"
        assert all(cold.values())
        web.asked.clear()
        async with disk_server(tmp_path, stores) as server:
            assert await answers_of(server, written.calls) == cold
        read = [request.path for request in web.asked if exists(tmp_path / "bucket" / request.path[1:])]
        assert [path for path in read if not is_document(path)] == []


def exists(path: Path) -> bool:
    """Whether the web server has an object; absences are asked for again."""
    return path.is_file() or path.with_name(f"{path.name}.gz").is_file()
