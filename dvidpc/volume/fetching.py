"""Fetch the blocks of one request: many at a time, delivered in the order of the request."""

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import suppress
from typing import Final

from dvidpc.cache.flights import Share
from dvidpc.cache.loading_cache import MISSING
from dvidpc.errors import FormatError, StoreError
from dvidpc.formats.payloads import Payload
from dvidpc.types import BlockCoord
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.omission import Omission, may_pass

LOOK_AHEAD: Final = 128
"""Blocks of one request that may be in flight or wait to be sent."""

LOOK_AHEAD_BYTES: Final = 64 * 2**20
"""Bytes that these may take uncompressed; a block of 256 voxels along each edge has 16 MiB."""

_Pending = bytes | Share[bytes | None] | None
"""The payload of a block, or a share in its load; None: the block is absent."""


async def fetch_blocks(
    grid: GridStore, blocks: Iterable[BlockCoord], payload: Payload, *, omission: Omission | None = None
) -> AsyncGenerator[tuple[BlockCoord, bytes], None]:
    """Yield each block that is present with its payload, in the order of *blocks*, duplicates included.

    Args:
        grid: Which scale.
        blocks: Which blocks; absent ones are left out.
        payload: How they are encoded.
        omission: How long a failed block is retried before it is left out and logged. Only for clients that
            an error would end. None: a failed block fails the answer.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    waiting = iter(blocks)
    window = _Window(grid, payload)
    try:
        while window.fill(waiting):
            block, data = await window.next(omission)
            if data is not None:
                yield block, data
    finally:
        window.close()


async def warm(grid: GridStore, blocks: Iterable[BlockCoord], payload: Payload) -> None:
    """Load *blocks* into the cache; failures are left to the request that needs the data."""
    waiting = iter(blocks)
    window = _Window(grid, payload)
    try:
        while window.fill(waiting):
            with suppress(FormatError, StoreError):
                await window.next(None)
    finally:
        window.close()


class _Window:
    """Blocks of one request that are in flight or wait to be delivered, in its order."""

    def __init__(self, grid: GridStore, payload: Payload) -> None:
        self._grid = grid
        self._payload = payload
        self._hold = grid.hold()
        self._entries: deque[tuple[BlockCoord, _Pending]] = deque()
        self._size = max(2, min(LOOK_AHEAD, LOOK_AHEAD_BYTES // grid.block_nbytes))

    def fill(self, waiting: Iterator[BlockCoord]) -> bool:
        """Begin blocks of *waiting* while there is room for them; return False if nothing is left."""
        while len(self._entries) < self._size and (block := next(waiting, None)) is not None:
            pending = self._begin(block)
            if pending is not None:
                self._entries.append((block, pending))
        return bool(self._entries)

    async def next(self, omission: Omission | None) -> tuple[BlockCoord, bytes | None]:
        """Remove the first block and return it with its payload; None if it is absent or left out.

        Raises:
            FormatError: A chunk is damaged, and there is no *omission*.
            StoreError: The bucket failed, and there is no *omission*.
        """
        block, pending = self._entries[0]
        if not isinstance(pending, Share):
            self._entries.popleft()
            return block, pending
        try:
            if omission is None:
                return block, await pending.value()
            return block, await omission.value_or_none(block, self._first, self._retry_failed)
        finally:
            self._drop_first()

    async def _first(self) -> bytes | None:
        pending = self._entries[0][1]
        return await pending.value() if isinstance(pending, Share) else pending

    def _retry_failed(self) -> None:
        """Begin every block of the window again that has failed, so that one broken block delays no other."""
        for at, (block, pending) in enumerate(self._entries):
            if isinstance(pending, Share) and may_pass(pending.failure()):
                self._entries[at] = block, self._begin(block)
                pending.give_up()

    def _begin(self, block: BlockCoord) -> _Pending:
        """Return the payload of a block if it is cached, or a share in its load; None if it is absent."""
        data = self._grid.peek(block, self._payload)
        return self._grid.begin(block, self._payload, self._hold) if data is MISSING else data

    def _drop_first(self) -> None:
        _, pending = self._entries.popleft()
        if isinstance(pending, Share):
            pending.give_up()

    def close(self) -> None:
        """Give up what is in flight."""
        self._hold.close()
        while self._entries:
            self._drop_first()
