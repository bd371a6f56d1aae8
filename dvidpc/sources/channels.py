"""Which data instances the channels of a volume become."""

from dataclasses import dataclass

import numpy as np

from dvidpc.data.repo import VoxelType, find_voxel_type
from dvidpc.errors import FormatError
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.data_types import DataType

MAX_CHANNELS = 64
"""Channels beyond which a volume is not served: each is an instance of its own for every scale."""

_COLOURS = (3, 4)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one instance shows of the chunks of its scale."""

    suffix: str
    """What its name has after that of the volume, before the number of the scale."""
    voxel_type: VoxelType
    layout: BlockLayout


def shown_channels(data_type: DataType, num_channels: int) -> list[Shown]:
    """What the instances of every scale show.

    Three or four channels of uint8 are colours, as `rgba8blk`. Other channels are images of their own, as
    no client knows a type for them together: the first has the volume's name, the next ones `_c1`, `_c2`.

    Raises:
        FormatError: There are absurdly many channels.
    """
    dtype = np.dtype(data_type.value).newbyteorder("<")
    if data_type is DataType.UINT8 and num_channels in _COLOURS:
        return [Shown("", _voxel_type(data_type, 4), BlockLayout(dtype, 4))]
    if num_channels > MAX_CHANNELS:
        raise FormatError(f"num_channels is {num_channels}; at most {MAX_CHANNELS} are served")
    voxel_type = _voxel_type(data_type, 1)
    return [
        Shown(f"_c{channel}" if channel else "", voxel_type, BlockLayout(dtype, 1, channel))
        for channel in range(num_channels)
    ]


def _voxel_type(data_type: DataType, num_values: int) -> VoxelType:
    voxel_type = find_voxel_type(data_type.value, num_values)
    if voxel_type is None:
        raise FormatError(f"DVID has no type for {num_values} value(s) of {data_type}")
    return voxel_type
