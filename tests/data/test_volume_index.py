"""The label index of a volume is looked at again, and instances follow what is found."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from dvidpc.config import load_config
from dvidpc.data.labelmap import LabelmapData
from dvidpc.data.repo import Repo
from dvidpc.data.volumes import Volumes
from dvidpc.errors import LabelIndexError
from dvidpc.sources.buckets import Buckets
from dvidpc.volume.resources import make_resources
from tests.label_index import write_index
from tests.label_volumes import LabelScale, write_labels
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume
from tests.waiting import soon

LABELS = np.full((20, 30, 40), 7, np.uint64)


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Callable[[], LabelmapData]]:
    """Keep a volume open that is looked at every few milliseconds; yield what returns its data."""
    path = directory / "config.toml"
    path.write_text(config_text({"seg": directory / "seg"}, f'label_index = "{directory}/index"\n'))
    config = load_config(path)
    buckets, repo = Buckets(config, os.environ), Repo("0" * 32, "", "", 0.0)
    with ThreadPoolExecutor(1) as pool:
        volumes = Volumes(
            buckets.volumes,
            buckets.open,
            repo,
            make_resources(config.cache, config.limits, pool),
            open_index=buckets.open_index,
            refresh_after_s=0.01,
        )
        await volumes.start(5)
        try:
            yield lambda: data_of(repo)
        finally:
            await volumes.close()


def data_of(repo: Repo) -> LabelmapData:
    data = repo.instances["seg"].data
    assert isinstance(data, LabelmapData)
    return data


def write_all(directory: Path) -> None:
    write_labels(directory / "seg", LabelScale(LABELS))
    write_index(directory / "index", (directory / "seg" / "info").read_bytes(), LABELS)


def max_label(data: LabelmapData) -> object:
    return data.properties("seg")["MaxLabel"]


async def test_an_index_that_is_built_later_is_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_all(tmp_path)
    shutil.move(tmp_path / "index", tmp_path / "later")
    async with opened(tmp_path) as data:
        index = data().index
        assert index is not None
        with pytest.raises(LabelIndexError, match="does not exist"):
            index.reader()
        assert max_label(data()) == {}
        shutil.move(tmp_path / "later", tmp_path / "index")
        await soon(lambda: max_label(data()) == {"1": 7}, 0.01)
    assert "store seg: its label index has changed; serving what it says now" in caplog.messages
    assert caplog.text.count("does not exist") == 1


async def test_an_index_that_is_built_again_is_used(tmp_path: Path) -> None:
    write_all(tmp_path)
    async with opened(tmp_path) as data:
        assert max_label(data()) == {"1": 7}
        write_index(tmp_path / "next", (tmp_path / "seg" / "info").read_bytes(), 3 * LABELS)
        shutil.move(tmp_path / "index", tmp_path / "before")
        shutil.move(tmp_path / "next", tmp_path / "index")
        await soon(lambda: max_label(data()) == {"1": 21}, 0.01)
        index = data().index
        assert index is not None
        assert await index.reader().find(7) is None
        assert await index.reader().find(21) is not None


async def test_damage_is_forgotten_until_it_is_found_again(tmp_path: Path) -> None:
    write_all(tmp_path)
    shutil.move(tmp_path / "index" / "labels", tmp_path / "labels")
    async with opened(tmp_path) as data:
        index = data().index
        assert index is not None
        row = await index.reader().find(7)
        assert row is not None
        with pytest.raises(LabelIndexError, match="is damaged"):
            await index.reader().blocks_of(row)
        assert index.problem is not None
        await soon(lambda: index.problem is None, 0.01)
        assert data().index is index


async def test_an_index_that_was_condemned_stays_so(tmp_path: Path) -> None:
    write_all(tmp_path)
    async with opened(tmp_path) as data:
        index = data().index
        assert index is not None
        assert str(index.condemn("it is wrong")) == "it is wrong"
        await asyncio.sleep(0.1)
        assert data().index is index
        with pytest.raises(LabelIndexError, match="it is wrong"):
            index.reader()
        assert max_label(data()) == {}


async def test_an_index_of_an_image_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    text = config_text({"em": tmp_path / "em"}, f'label_index = "{tmp_path}/index"\n')
    async with serving(text, tmp_path) as server:
        assert await server.get("/readyz") == b"ok\n"
    assert "store em: label_index has no effect: it is not served as a labelmap" in caplog.messages
