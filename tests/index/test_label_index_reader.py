"""A label index is read by ranges, compared with brute force, and what is damaged is never an answer."""

import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, LabelIndexError
from dvidpc.formats.grid import Box
from dvidpc.index.label_index_reader import LabelIndexReader, digest_of, find_mismatch, load_index_info
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import Point
from tests.label_index import write_index

INFO = b"the info of a volume"
OFFSET = (-70, 60, 3)


def draw_volume() -> np.ndarray:
    rng = np.random.default_rng(4)
    labels = np.sort(rng.integers(1, 2**64, 3000, dtype=np.uint64))
    labels[:3], labels[-1] = (1, 2, 3), 2**64 - 1
    return rng.choice(np.append(labels, np.zeros(500, np.uint64)), (40, 90, 100)).astype(np.uint64)


VOLUME = draw_volume()
LABELS = np.unique(VOLUME[VOLUME > 0])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("built") / "index"
    write_index(directory, INFO, VOLUME, OFFSET)
    return directory


@asynccontextmanager
async def reading(directory: Path) -> AsyncIterator[LabelIndexReader]:
    ref = parse_ref(str(directory))
    store = await open_store(BucketAccess(ref.root), UpstreamLimits(attempts=1), environ={})
    cache = LoadingCache(2**24, absence_ttl_s=1, clock=lambda: 0.0)
    with ThreadPoolExecutor(1) as pool:
        info = await load_index_info(store, ref.directory)
        yield LabelIndexReader(store, ref.directory, info, cache, pool)
    await store.close()


def blocks_of(label: int) -> dict[tuple[int, ...], int]:
    zyx = np.argwhere(label == VOLUME) + OFFSET[::-1]
    blocks, counts = np.unique(zyx // 64, axis=0, return_counts=True)
    return {tuple(b[::-1]): n for b, n in zip(blocks.tolist(), counts.tolist(), strict=True)}


async def test_a_label_has_the_blocks_and_the_row_that_numpy_counts(index: Path) -> None:
    async with reading(index) as reader:
        for label in LABELS[:: len(LABELS) // 40].tolist():
            row = await reader.find(label)
            assert row is not None
            found = await reader.blocks_of(row)
            expected = blocks_of(label)
            assert dict(zip(map(tuple, found.xyz.tolist()), found.voxels.tolist(), strict=True)) == expected
            assert (int(row["voxels"][0]), int(row["blocks"][0])) == (sum(expected.values()), len(expected))
        assert reader.damage is None


async def test_unknown_labels_have_no_row(index: Path) -> None:
    known = set(LABELS.tolist())
    async with reading(index) as reader:
        for label in (0, 4, 2**63, 2**64 - 2, int(LABELS[1500]) + 1):
            assert (await reader.find(label) is not None) == (label in known)


async def test_many_labels_are_looked_up_in_the_order_of_the_request(index: Path) -> None:
    rng = np.random.default_rng(2)
    asked = rng.permutation(np.concatenate([LABELS, LABELS[:9], LABELS + np.uint64(1), [np.uint64(0)]]))
    ids, counts = np.unique(VOLUME, return_counts=True)
    sizes = dict(zip(ids.tolist(), counts.tolist(), strict=True)) | {0: 0}
    async with reading(index) as reader:
        rows = await reader.find_all(asked)
        assert rows["voxels"].tolist() == [sizes.get(label, 0) for label in asked.tolist()]
        assert len(await reader.find_all(asked[:0])) == 0


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 2**64 - 1), (1, 1), (2**63, 2**64 - 2), (int(LABELS[7]), int(LABELS[2000])), (4, 4), (9, 3)],
)
async def test_ranges_of_labels_are_complete_and_ascending(first: int, last: int, index: Path) -> None:
    async with reading(index) as reader:
        found = [label async for rows in reader.rows_from(first, last) for label in rows["label"].tolist()]
    assert found == [label for label in LABELS.tolist() if first <= label <= last]


async def test_an_index_of_nothing_has_no_labels(tmp_path: Path) -> None:
    write_index(tmp_path / "index", INFO, np.zeros((9, 9, 9), np.uint64))
    async with reading(tmp_path / "index") as reader:
        assert await reader.find(5) is None
        assert (await reader.find_all(np.array([5], np.uint64)))["voxels"].tolist() == [0]
        assert [rows async for rows in reader.rows_from(0, 9)] == []


def files_of(index: Path) -> Iterator[Path]:
    yield from (path.relative_to(index) for path in sorted(index.rglob("*")) if path.is_file())


async def test_a_damaged_byte_is_an_error_or_changes_nothing(index: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    found = 0
    for name in files_of(index):
        if name.name == "info":
            continue
        for at in rng.integers(0, (index / name).stat().st_size, 12).tolist():
            copy = tmp_path / f"{name.name}-{at}"
            shutil.copytree(index, copy, dirs_exist_ok=True)
            data = bytearray((copy / name).read_bytes())
            data[at] ^= 0x10
            (copy / name).write_bytes(data)
            found += await count_errors(copy)
            shutil.rmtree(copy)
    assert found


async def count_errors(index: Path) -> int:
    """Read every 20th label; return how many failed. What is read must be right."""
    failed = 0
    async with reading(index) as reader:
        for label in LABELS[::20].tolist():
            try:
                row = await reader.find(label)
                assert row is not None
                blocks = await reader.blocks_of(row)
            except LabelIndexError:
                failed += 1
            else:
                found = dict(zip(map(tuple, blocks.xyz.tolist()), blocks.voxels.tolist(), strict=True))
                assert found == blocks_of(label)
        assert (reader.damage is not None) == (failed > 0)
        assert reader.damage is None or str(index) in reader.damage
    return failed


@pytest.mark.parametrize("part", ["table", "labels"])
async def test_a_part_that_does_not_exist_is_damage(part: str, index: Path, tmp_path: Path) -> None:
    shutil.copytree(index, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / part)
    async with reading(tmp_path / "copy") as reader:
        with pytest.raises(LabelIndexError, match="does not exist"):
            await read_any(reader)


async def read_any(reader: LabelIndexReader) -> None:
    row = await reader.find(int(LABELS[0]))
    assert row is not None
    await reader.blocks_of(row)


async def test_an_index_without_info_was_not_finished(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with pytest.raises(FormatError, match="was the label index built, and to the end"):
        async with reading(tmp_path / "index"):
            pass


async def test_an_index_belongs_to_one_info_and_one_box(index: Path) -> None:
    async with reading(index) as reader:
        info = reader.info
    box = Box(Point(*OFFSET), Point(30, 150, 43))
    assert info.volume.info_sha256 == digest_of(INFO)
    assert find_mismatch(info, INFO, box) is None
    assert find_mismatch(info, INFO + b" ", box) == "the volume's info was changed after the index was built"
    assert "and the volume has" in str(find_mismatch(info, INFO, Box(box.start, Point(31, 150, 43))))
