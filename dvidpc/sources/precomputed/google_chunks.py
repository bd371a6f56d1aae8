"""Chunks of labels that are stored as DVID's `google` labels, so that they can be passed through."""

import asyncio

from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType
from dvidpc.formats.dvid.google_labels import GOOGLE_SUB_BLOCK
from dvidpc.formats.dvid.label_payloads import GOOGLEGZIP, compress_gzip
from dvidpc.formats.payloads import Payload
from dvidpc.sources.precomputed.chunk_source import PrecomputedChunks
from dvidpc.types import ChunkCoord


class GoogleChunks(PrecomputedChunks):
    """A `ChunkSource` of chunks that `are_google`."""

    @property
    def stored_payload(self) -> Payload:
        """As `ChunkSource.stored_payload`."""
        return GOOGLEGZIP

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`: the gzip that the bucket holds, or else what is compressed here."""
        blob = await self._read_blob(cell)
        if blob is None:
            return None
        self.label_chunk(cell, blob.data)
        return blob.gzip or await asyncio.to_thread(compress_gzip, blob.data)


def are_google(shape: ChunkShape) -> bool:
    """Return whether chunks are compressed_segmentation as DVID writes it, apart from gzip."""
    is_google = shape.label_block == GOOGLE_SUB_BLOCK and shape.data_type is DataType.UINT64
    return is_google and shape.num_channels == 1
