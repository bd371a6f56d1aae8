"""The scales of voxels that an instance shows, whatever its type."""

from collections.abc import Sequence

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Data
from dvidpc.data.labelmap import LabelmapData


def scales_of(data: Data) -> Sequence[ImageData]:
    """Return the scales of an instance, finest first; none if it holds no voxels."""
    match data:
        case ImageData():
            return (data,)
        case LabelmapData():
            return data.levels
        case _:
            return ()
