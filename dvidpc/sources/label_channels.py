"""What every scale of a segmentation shows, whatever its source."""

from typing import Final

import numpy as np

from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.data_types import DataType
from dvidpc.formats.dvid.label_payloads import BLOCKS, GOOGLEGZIP, GZIP, LABELS_UNCOMPRESSED, LZ4
from dvidpc.sources.channels import Channel

LABEL_BLOCK_SIZE: Final[int | None] = 64
"""Voxels along each edge of a block of labels, whatever is configured: libdvid reads no other."""

LABEL_CHANNELS: Final[tuple[Channel, ...]] = (
    Channel(
        0,
        DataType.UINT64,
        BlockLayout(np.dtype("<u8"), 1),
        (BLOCKS, LZ4, GZIP, LABELS_UNCOMPRESSED, GOOGLEGZIP),
    ),
)
"""The one channel of a segmentation; DVID's labels are uint64."""
