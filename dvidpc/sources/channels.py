"""What the instances of a volume show of its voxels: the rules are the same for every format."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.data_types import DataType
from dvidpc.formats.payloads import Payload, payloads_for
from dvidpc.formats.window import Window


@dataclass(frozen=True, slots=True)
class Channel:
    """What one instance shows of the chunks of its scale."""

    number: int
    """The first channel it shows."""
    data_type: DataType
    layout: BlockLayout
    payloads: tuple[Payload, ...]
    """How blocks can be written, the default first."""
    window: Window | None = None
    """How stored voxels are shown as 8 bits; None: as they are."""
    is_full: bool = False
    """Whether it shows stored voxels besides a channel with a window."""

    @property
    def num_values(self) -> int:
        """Values of a voxel as clients see it."""
        return self.layout.num_values


MAX_CHANNELS: Final = 64
"""Channels beyond which a volume is not served: each has an instance of its own for every scale."""

_COLOURS: Final = (3, 4)


def plan_channels(data_type: DataType, num_channels: int, *, apart: bool = False) -> tuple[Channel, ...]:
    """Decide what the instances of every scale show.

    Three or four channels of uint8 in one chunk are colours, as `rgba8blk`. Other channels are images of
    their own, because no client knows a type for them together.

    Args:
        data_type: Of voxels.
        num_channels: How many values are stored of a voxel.
        apart: Whether each channel is opened on its own (`StoredScale.of_channel`).

    Raises:
        FormatError: There are absurdly many channels.
    """
    dtype = np.dtype(data_type.value).newbyteorder("<")
    if data_type is DataType.UINT8 and num_channels in _COLOURS and not apart:
        return (Channel(0, data_type, BlockLayout(dtype, 4), payloads_for(data_type, 4)),)
    if num_channels > MAX_CHANNELS:
        raise FormatError(f"num_channels is {num_channels}; at most {MAX_CHANNELS} are served")
    payloads = payloads_for(data_type, 1)
    return tuple(
        Channel(number, data_type, BlockLayout(dtype, 1, 0 if apart else number), payloads)
        for number in range(num_channels)
    )


def plan_image_channels(
    data_type: DataType, num_channels: int, window: Window | None, *, full: bool, apart: bool
) -> tuple[Channel, ...]:
    """Decide what the instances of an image show: its voxels, or a view of 8 bits, or both.

    Args:
        data_type: Of stored voxels.
        num_channels: How many values are stored of a voxel.
        window: How they are shown as 8 bits; None: as they are.
        full: Whether they are shown as they are too, by further channels.
        apart: As for `plan_channels`.

    Raises:
        FormatError: There are absurdly many channels.
    """
    stored = plan_channels(data_type, num_channels, apart=apart)
    if window is None:
        return stored
    payloads = payloads_for(DataType.UINT8, 1)
    shown = tuple(
        Channel(
            number, DataType.UINT8, BlockLayout(np.dtype("u1"), 1, 0 if apart else number), payloads, window
        )
        for number in range(num_channels)
    )
    return (*shown, *(replace(channel, is_full=True) for channel in stored)) if full else shown
