"""Help and OpenAPI texts of the path parameters, and of endpoints that every data type has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, Doc, Parameter

USER = Parameter("the user's name", "me")
ADMIN_TOKEN: Final = MappingProxyType(
    {"admintoken": Parameter("the value of DVID_ADMIN_TOKEN in the server's environment", "secret")}
)

PATH_PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "uuid": Parameter("UUID of the version, a prefix of it, or :master", ":master"),
        "data": Parameter("name of a data instance", "grayscale"),
        "name": Parameter("name of a branch", "master"),
        "type": Parameter("name of a data type", "uint8blk"),
        "size": Parameter("number of voxels along each axis, joined by _", "64_64_64"),
        "offset": Parameter("coordinate of the first voxel, joined by _", "0_0_0"),
        "block": Parameter("block coordinate, joined by _", "0_0_0"),
        "span": Parameter("number of blocks along x", "1"),
        "dims": Parameter("axes: xy, xz, yz, 0_1, ..., or 0_1_2 for a box", "0_1_2"),
        "format": Parameter("png, jpg (or jpg:Q with a quality Q from 1 to 100), tif or bmp", "png"),
        "top_left": Parameter("position of the corner in nm, joined by _", "0_0_0"),
        "top_right": Parameter("position of the corner in nm, joined by _", "100_0_0"),
        "bottom_left": Parameter("position of the corner in nm, joined by _", "0_100_0"),
        "resolution": Parameter("side length of a pixel in nm", "8"),
        "plane": Parameter("axes: xy, xz or yz", "xy"),
        "level": Parameter("number of scales coarser than the instance", "0"),
        "label": Parameter("a label", "23"),
        "voxel": Parameter("position of a voxel, joined by _", "0_0_0"),
        "from": Parameter("UUID of a version, as for uuid", ":master"),
        "to": Parameter("UUID of a version, as for uuid", ":master"),
        "key": Parameter("a key, such as <id>.ngmesh, <id>_swc or the id of a body", "23.ngmesh"),
        "first": Parameter("the first key", "0"),
        "last": Parameter("the last key", "9"),
        "tag": Parameter("a tag", "user:me"),
        "roi": Parameter("name of a region of interest", "medulla"),
        "element": Parameter("PreSyn, PostSyn, Gap, Note or AllSyn", "PreSyn"),
        "number": Parameter("a number", "10"),
        "tile": Parameter("tile coordinate, joined by _", "0_0_0"),
    }
)
"""Parameters by the name that stands in braces in a path."""

HELP = Doc("The endpoints of this data type, in plain text.")
TAGS = Doc("Tags of the instance: none.", (JSON,))
SYNC = Doc("Always refused: nothing is synchronised.")
INFO = Doc("Data type, compression, block size, voxel size and extents. MaxPoint is the last voxel.", (JSON,))
