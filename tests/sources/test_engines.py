"""A new source needs one module and one line of registration, as shown with a source in memory."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.volumes import Volumes
from dvidpc.dvid.services import SERVICES
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.volume.resources import Resources
from tests.access import access_to
from tests.arrays import ARRAY, Arrays
from tests.blockstream import parse_stream
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume


@pytest.fixture
def resources() -> Any:  # noqa: ANN401 - a generator
    caches = [LoadingCache(2**26, absence_ttl_s=30, clock=time.monotonic) for _ in range(2)]
    with ThreadPoolExecutor(1) as pool:
        yield Resources(caches[0], caches[1], pool)


async def test_a_source_of_one_module_and_one_line_is_served_like_any_other(
    tmp_path: Path, resources: Resources
) -> None:
    write_volume(tmp_path / "em", VolumeSpec())

    async def open_directory(_settings: VolumeSettings) -> ObjectStore:
        return await open_store(access_to(tmp_path), UpstreamLimits(), environ={})

    settings = VolumeSettings("arrays", "grey", 64, engine="array")
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path, {}) as server:
        repo = server.app[SERVICES].repo
        volumes = Volumes([settings], open_directory, repo, resources, engines={"array": Arrays()})
        await volumes.start(5)
        try:
            body = await server.get(f"{server.node}/grey/raw/0_1_2/90_100_70/10_-20_0")
            voxels = np.frombuffer(body, "<u2").reshape(70, 100, 90)
            expected = ARRAY.copy()
            expected[:32, :32, :32] = 0
            assert (voxels == expected).all()
            stream = await server.get(f"{server.node}/grey/specificblocks?blocks=1,0,0,9,9,9")
            [(block, payload)] = parse_stream(stream)
            assert block == (1, 0, 0)
            known = np.zeros((64, 64, 64), "<u2")
            known[:, :, :36] = ARRAY[:64, 20:84, 54:90]
            assert payload == known.tobytes()
            info = await server.get(f"{server.node}/grey/info")
            assert b'"TypeName":"uint16blk"' in info
            assert b'"MinPoint":[10,-20,0]' in info
        finally:
            await volumes.close()
