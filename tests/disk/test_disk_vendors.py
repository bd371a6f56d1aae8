"""Blocks from S3 (moto) and Google's storage (fake-gcs-server) are on the disk after a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvidpc.http.metric_sources import METRICS
from tests.disk.sites import disk_server
from tests.faulty.site import SHARDED, UNSHARDED
from tests.faulty.truth import blocks_path, write_truth
from tests.servers import GoogleServer, S3Server, run_google_server, run_s3_server
from tests.serving import UUID
from tests.volumes import VolumeSpec


@pytest.fixture(scope="module", params=["s3", "gs"])
def service(request: pytest.FixtureRequest) -> Iterator[S3Server | GoogleServer]:
    with run_s3_server() if request.param == "s3" else run_google_server() as server:
        server.make_bucket("bucket")
        yield server


@pytest.mark.parametrize("spec", [UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
async def test_blocks_outlive_a_restart(
    service: S3Server | GoogleServer, spec: VolumeSpec, tmp_path: Path
) -> None:
    name = "sharded" if spec.sharding else "unsharded"
    truth = write_truth(tmp_path / name, spec)
    for file in (tmp_path / name).rglob("*"):
        if file.is_file():
            key = str(file.relative_to(tmp_path))
            if isinstance(service, S3Server):
                service.put("bucket", key, file.read_bytes(), public=True)
            else:
                service.put("bucket", key, file.read_bytes())
    scheme = "s3" if isinstance(service, S3Server) else "gs"
    store = (
        f'[store.em]\nengine = "ngprecomputed"\nref = "{scheme}://bucket/{name}"\ninstance = "em"\n'
        f'endpoint = "{service.url}"\nanonymous = true\n'
    )
    stored = [block for block in truth.blocks if truth.is_stored(block)]
    path = blocks_path(f"/api/node/{UUID}", "em", stored)
    async with disk_server(tmp_path, store) as server:
        cold = await server.get(path)
    assert truth.wrong_in(stored, cold) == []
    async with disk_server(tmp_path, store) as server:
        assert await server.get(path) == cold
        assert server.app[METRICS].upstream["em"].requests == 1, "the info"
