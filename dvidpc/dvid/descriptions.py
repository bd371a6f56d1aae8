"""What path parameters and the endpoints of every data type mean, for help and OpenAPI."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, Doc, Parameter

USER = Parameter("the user's name", "me")
ADMIN_TOKEN: Final = MappingProxyType(
    {"admintoken": Parameter("what DVID_ADMIN_TOKEN is in the server's environment", "secret")}
)

PATH_PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "uuid": Parameter("the version: its UUID, a prefix of it, or :master", ":master"),
        "data": Parameter("the name of a data instance", "grayscale"),
        "name": Parameter("a branch", "master"),
        "type": Parameter("a type of data", "uint8blk"),
        "size": Parameter("voxels along each axis, joined by _", "64_64_64"),
        "offset": Parameter("the first voxel, joined by _", "0_0_0"),
        "block": Parameter("a block coordinate, joined by _", "0_0_0"),
        "span": Parameter("how many blocks along x", "1"),
        "dims": Parameter("axes: xy, xz, yz, 0_1, ..., or 0_1_2 for a box", "0_1_2"),
        "format": Parameter("png, jpg (or jpg:Q, its quality 1 to 100), tif or bmp", "png"),
        "top_left": Parameter("a corner in nm, joined by _", "0_0_0"),
        "top_right": Parameter("a corner in nm, joined by _", "100_0_0"),
        "bottom_left": Parameter("a corner in nm, joined by _", "0_100_0"),
        "resolution": Parameter("the side of a pixel in nm", "8"),
        "plane": Parameter("axes: xy, xz, yz", "xy"),
        "level": Parameter("0 is the finest", "0"),
        "tile": Parameter("a tile coordinate, joined by _", "0_0_0"),
    }
)
"""What stands in braces in paths."""

HELP = Doc("What instances of this type answer, in plain text.")
INFO = Doc("Type, compression, block size, voxel size, and extents; MaxPoint is the last voxel.", (JSON,))
