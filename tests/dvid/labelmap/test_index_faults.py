"""A bucket that fails is never "no such label" and never a smaller extent; what it serves again is used."""

from pathlib import Path

import aiohttp
import numpy as np
import pytest

from tests.dvid.labelmap.test_index_requests import ENDPOINTS, LABELS
from tests.faulty import faults
from tests.faulty.bucket import BUCKET, FaultyBucket, faulty_bucket
from tests.faulty.site import limits_section, store_section
from tests.label_index import write_index
from tests.label_volumes import LabelScale, write_labels
from tests.serving import Server, config_text, serving
from tests.sparse_volumes import read_runs, voxels_of, where

IN_MEMORY = {"maxlabel", "nextlabel"}
FROM_TABLE = {"existing-labels", "lastmod/5", "listlabels", "size/5", "sizes", "sparsevol-size/5"}
FROM_TABLE |= {"supervoxel-sizes/5", "supervoxels/5"}
FROM_VOXELS = {"sparsevol/5", "sparsevol/5?format=srles", "sparsevol/5?format=blocks"}
FROM_VOXELS |= {"sparsevol-by-point/1_1_1"}
NO_CACHE = "[cache]\nmemory = 0\nindex_memory = 0\n"


async def status_of(server: Server, endpoint: str, method: str = "GET") -> int:
    async with server.ask(method, f"{server.node}/seg/{endpoint}", body=b"[5, 9]") as response:
        await response.read()
        return response.status


def write_all(directory: Path) -> None:
    write_labels(directory / "seg", LABELS)
    write_index(directory / "index", (directory / "seg" / "info").read_bytes(), LABELS.labels)


def index_key(kind: str, bucket: FaultyBucket) -> str:
    return f'label_index = "{bucket.url if kind == "http" else f"s3://{BUCKET}"}/index"\n'


@pytest.mark.parametrize("kind", ["http", "s3"])
async def test_a_part_that_cannot_be_read_is_a_503(kind: str, tmp_path: Path) -> None:
    write_all(tmp_path / "bucket")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        section = store_section(kind, bucket, "seg", index_key(kind, bucket))
        text = config_text({}, f"{section}\n{limits_section()}\n{NO_CACHE}")
        async with serving(text, tmp_path) as server:
            for pattern, spared in (
                ("index/table/*", IN_MEMORY),
                ("index/labels/*", IN_MEMORY | FROM_TABLE),
                ("seg/s0/*", set(ENDPOINTS) - FROM_VOXELS),
            ):
                bucket.rule(pattern, faults.BROKEN)
                found = {endpoint: await status_of(server, endpoint) for endpoint in ENDPOINTS}
                assert found == {endpoint: 200 if endpoint in spared else 503 for endpoint in ENDPOINTS}
                assert await status_of(server, "sparsevol/5", "HEAD") == (503 if "table" in pattern else 200)
                bucket.heal()
            assert {await status_of(server, endpoint) for endpoint in ENDPOINTS} == {200}
            assert await server.get("/readyz") == b"ok\n"


async def test_a_volume_that_fails_midway_is_cut_off(tmp_path: Path) -> None:
    labels = (np.random.default_rng(1).random((64, 64, 64 * 40)) < 0.03).astype(np.uint64)  # 300,000 runs
    write_labels(tmp_path / "bucket" / "seg", LabelScale(labels))
    info = (tmp_path / "bucket" / "seg" / "info").read_bytes()
    write_index(tmp_path / "bucket" / "index", info, labels)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        section = store_section("http", bucket, "seg", index_key("http", bucket))
        async with serving(config_text({}, f"{section}\n{limits_section()}"), tmp_path) as server:
            bucket.rule("seg/s0/2496-2560_*", faults.BROKEN)
            path = f"{server.node}/seg/sparsevol/1"
            for streamed in ("blocks", "srles"):
                with pytest.raises(aiohttp.ClientPayloadError):
                    await server.get(f"{path}?format={streamed}")
            assert (await server.error(path))[0] == 503
            bucket.heal()
            assert voxels_of(read_runs(await server.get(path))) == where(labels, 1)
