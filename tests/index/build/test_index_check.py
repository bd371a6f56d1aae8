"""`dvidpc index check` says whether an index is stale or wrong."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from dvidpc.config import load_config
from dvidpc.errors import ConfigError, FormatError
from dvidpc.index.build.index_check import IndexReport, check_index
from dvidpc.index.build.job_making import find_store
from dvidpc.types import Point
from tests.building import build, job_of, write_config
from tests.commands import run
from tests.label_chunks import draw_cells
from tests.label_volumes import LabelScale, write_labels
from tests.volumes import sharding

LABELS = draw_cells(60, Point(130, 100, 70))
SCALE = LabelScale(LABELS, offset=(-64, 0, 5), sharding=sharding(shard_bits=1))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a volume, its index and the configuration of both."""
    write_labels(tmp_path / "volume", SCALE)
    path = write_config(tmp_path, f"{tmp_path}/volume", f'label_index = "{tmp_path}/index"\n')
    build(*job_of(path, tmp_path / "index"))
    return path


async def checked(config: Path) -> IndexReport:
    loaded = load_config(config)
    return await check_index(loaded, find_store(loaded, "segmentation"), 100, random.Random(1))


async def test_an_index_in_order(config: Path) -> None:
    report = await checked(config)
    assert (report.stale, report.wrong, report.blocks, report.labels) == ([], [], 100, 100)


def test_the_command_says_what_was_compared(config: Path, tmp_path: Path) -> None:
    command = ["index", "check", str(config), "--store", "labels", "--samples", "7"]
    assert run(*command) == (0, "ok: 7 blocks and 7 labels were compared with the volume\n")
    (tmp_path / "volume/info").write_text((tmp_path / "volume/info").read_text() + " ")
    code, text = run(*command, "--json")
    assert code == 1
    assert json.loads(text)["stale"] == ["the volume's info was changed after the index was built"]


async def test_a_replaced_shard_is_named(config: Path, tmp_path: Path) -> None:
    shard = tmp_path / "volume/s0/0.shard"
    data = shard.read_bytes()
    shard.unlink()
    shard.write_bytes(data + b" ")
    report = await checked(config)
    assert report.stale == ["volume/s0/0.shard was replaced or removed after the index was built"]
    assert report.wrong == []


async def test_wrong_counts_are_named(config: Path, tmp_path: Path) -> None:
    """The volume has other voxels than the index says; the shards look unchanged."""
    labels, counts = np.unique(LABELS, return_counts=True)
    largest = labels[counts.argmax()]
    changed = np.where(largest == LABELS, np.uint64(77), LABELS)
    shutil.rmtree(tmp_path / "volume")
    write_labels(tmp_path / "volume", LabelScale(changed, offset=SCALE.offset, sharding=SCALE.sharding))
    (tmp_path / "index/sources").write_text('{"@type": "dvidpc_label_index_sources", "objects": null}')
    report = await checked(config)
    assert report.stale == []
    assert any(f"label {largest} has 0 voxels in block " in what for what in report.wrong)
    assert any("label 77 has " in what and what.endswith("the index says 0") for what in report.wrong)


async def test_a_damaged_index_is_named(config: Path, tmp_path: Path) -> None:
    shard = tmp_path / "index/labels/0.shard"
    data = bytearray(shard.read_bytes())
    data[1024 + 200 :: 50] = bytes(len(data[1024 + 200 :: 50]))
    shard.write_bytes(data)
    report = await checked(config)
    assert any("is damaged: " in what for what in report.wrong)


async def test_an_index_without_sources_is_named(config: Path, tmp_path: Path) -> None:
    (tmp_path / "index/sources").unlink()
    report = await checked(config)
    assert report.unknown == ["whether shards were replaced since: the index has no sources"]
    assert report.is_good
    (tmp_path / "index/sources").write_text("{}")
    with pytest.raises(FormatError, match="sources of the index: "):
        await checked(config)


async def test_a_store_without_an_index_is_refused(config: Path) -> None:
    config.write_text(config.read_text().replace("label_index", "#"))
    with pytest.raises(ConfigError, match=r"\[store.labels\] has no label_index"):
        await checked(config)


def test_an_unknown_store_is_one_line(config: Path) -> None:
    code, text = run("index", "check", str(config), "--store", "nothing")
    assert (code, text.count("\n")) == (2, 1)
    assert text.startswith("dvidpc: --store nothing: the configuration has no such store; it has labels")
