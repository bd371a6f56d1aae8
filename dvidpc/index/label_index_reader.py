"""Reads one label index: how large labels are, and in which blocks they lie."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, LabelIndexError
from dvidpc.formats.dvid.label_index import MAX_BLOCK_SIZE, LabelBlocks, decode_label_index
from dvidpc.formats.grid import Box
from dvidpc.index.index_info import MAX_INDEX_INFO_SIZE, IndexInfo, parse_index_info
from dvidpc.index.layout import BLOCK_SIZE, INFO_KEY, LABELS_DIRECTORY
from dvidpc.index.size_table import LABEL_ROW, Rows
from dvidpc.index.table_reader import TableReader
from dvidpc.sources.precomputed.keyed_reader import KeyedReader
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object

_SPARE: Final = 1024
"""Bytes of a message besides its blocks, and by which gzip may enlarge it."""
_LARGE: Final = 2**16
"""Blocks of a label from which one message is read at a time: it needs 100 bytes of memory for each."""
_OFF_LOOP_BLOCKS: Final = 256
"""Blocks from which a message is decoded in a thread."""


class LabelIndexReader:
    """Reads one index.

    Everything that is read is checked: by checksums, and the blocks of a label against its row in the table.

    Args:
        store: Where the index lies.
        directory: Its key.
        info: Its `info`.
        cache: Keeps indexes of shards, and pages of the table; may serve many readers.
        pool: Decodes.
    """

    def __init__(
        self, store: ObjectStore, directory: str, info: IndexInfo, cache: LoadingCache, pool: Executor
    ) -> None:
        self.info = info
        self.damage: str | None = None
        """The last damage that was found; None if there was none."""
        self._url = name_object(store.url, directory)
        self._table = TableReader(store, directory, info.parts, cache)
        self._values = KeyedReader(store, _below(directory, LABELS_DIRECTORY), info.sharding, cache)
        self._pool = pool
        self._large = asyncio.Semaphore(1)

    async def find(self, label: int) -> Rows | None:
        """Return the row of a label, an array of one; None if the volume does not have it.

        Raises:
            LabelIndexError: The index is damaged.
            StoreError: The bucket failed.
        """
        with self._noting_damage():
            return await self._table.find(label)

    async def find_all(self, labels: NDArray[np.uint64]) -> Rows:
        """Return the rows of many labels, in their order; zeros for those that the volume does not have.

        Errors are those of `find`.
        """
        with self._noting_damage():
            return await self._table.find_all(labels)

    async def rows_from(self, first: int, last: int) -> AsyncGenerator[Rows, None]:
        """Yield the rows of the labels from *first* to *last*, both inclusive, ascending, page by page.

        Errors are those of `find`.
        """
        with self._noting_damage():
            async for rows in self._table.rows_from(first, last):
                yield rows

    async def message_of(self, row: Rows) -> bytes:
        """Return the `LabelIndex` message of the label with this row, checked.

        Errors are those of `find`.
        """
        message, _ = await self._read(row)
        return message

    async def blocks_of(self, row: Rows) -> LabelBlocks:
        """Return the blocks of the label with this row.

        Errors are those of `find`.
        """
        _, blocks = await self._read(row)
        return blocks

    async def _read(self, row: Rows) -> tuple[bytes, LabelBlocks]:
        label, count = int(row["label"][0]), int(row["blocks"][0])
        async with self._large if count > _LARGE else nullcontext():
            return await self._read_checked(row, label, count)

    async def _read_checked(self, row: Rows, label: int, count: int) -> tuple[bytes, LabelBlocks]:
        with self._noting_damage():
            message = await self._values.read(label, count * MAX_BLOCK_SIZE + _SPARE)
            decode = partial(_decode, message, row, self.info)
            try:
                if count < _OFF_LOOP_BLOCKS:
                    return decode()
                return await asyncio.get_running_loop().run_in_executor(self._pool, decode)
            except FormatError as error:
                raise FormatError(f"{self._values.describe(label)}: {error}") from error

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except FormatError as error:
            self.damage = f"the label index {self._url} is damaged: {error}"
            raise LabelIndexError(self.damage) from error


async def load_index_info(store: ObjectStore, directory: str) -> IndexInfo:
    """Read the `info` of an index.

    Raises:
        FormatError: There is none, or it is malformed.
        StoreError: The bucket failed.
    """
    key = _below(directory, INFO_KEY)
    name = name_object(store.url, key)
    blob = await store.get(key, max_size=MAX_INDEX_INFO_SIZE, is_metadata=True)
    if blob is None:
        raise FormatError(f"{name} does not exist: was the label index built, and to the end?")
    try:
        return parse_index_info(blob.data)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error


def find_mismatch(info: IndexInfo, metadata: bytes, box: Box) -> str | None:
    """Return why an index does not belong to a volume as it is now; None if it does.

    Args:
        info: The `info` of the index.
        metadata: The `info` of the volume.
        box: The voxels of the volume's finest scale.
    """
    indexed = info.volume
    if Box(indexed.start, indexed.stop) != box:
        return (
            f"it describes voxels {tuple(indexed.start)} to {tuple(indexed.stop)}, and the volume has "
            f"{tuple(box.start)} to {tuple(box.stop)}"
        )
    if indexed.info_sha256 != digest_of(metadata):
        return "the volume's info was changed after the index was built"
    return None


def digest_of(metadata: bytes) -> str:
    """Return what `IndexedVolume.info_sha256` is for the `info` of a volume."""
    return hashlib.sha256(metadata).hexdigest()


def _decode(message: bytes | None, row: Rows, info: IndexInfo) -> tuple[bytes, LabelBlocks]:
    """Return a message and its blocks, checked against the label's row and the volume."""
    if message is None:
        raise FormatError("does not exist, although the table lists the label")
    blocks = decode_label_index(message, int(row["label"][0]))
    expected = np.zeros(1, LABEL_ROW)
    expected["label"] = row["label"]
    expected["voxels"], expected["blocks"] = blocks.voxels.sum(dtype=np.uint64), len(blocks.voxels)
    if len(blocks.voxels):
        expected["min_block"], expected["max_block"] = blocks.xyz.min(axis=0), blocks.xyz.max(axis=0)
    if expected.tobytes() != row.tobytes():
        raise FormatError("does not match the label's row in the table")
    first = np.array(info.volume.start) // BLOCK_SIZE
    last = (np.array(info.volume.stop) - 1) // BLOCK_SIZE
    if (expected["min_block"] < first).any() or (expected["max_block"] > last).any():
        raise FormatError("has blocks outside the volume")
    return message, blocks


def _below(directory: str, key: str) -> str:
    return f"{directory}/{key}" if directory else key
