"""What the parameters of requests and the endpoints of data instances mean, for the documents about them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dvidpc.dvid.table import JSON, OCTETS, Doc, Parameter

_IMAGES = ("image/png", "image/jpeg", "image/tiff", "image/bmp")
_COMPRESSION = Parameter(
    "how voxels are written; by default as Compression in info says",
    "uncompressed",
    ("jpeg", "uncompressed"),
)
_SCALE = Parameter("how many scales coarser than the instance; 0 by default", "0")
_SWITCH = ("on", "true", "off", "false")
_THROTTLE = Parameter("taken as DVID takes it", "off", _SWITCH)

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
METADATA = Doc("The axes, and what a voxel is made of.", ("application/vnd.dvid-nd-data+json",))
SPECIFIC_BLOCKS = Doc(
    "Blocks by their block coordinates, in the order asked for. Each is preceded by four int32: x, y, z and "
    "the number of bytes that follow. Blocks that are not stored are left out.",
    (OCTETS,),
    MappingProxyType(
        {
            "blocks": Parameter("x,y,z,x,y,z,...", "0,0,0"),
            "compression": _COMPRESSION,
            "prefetch": Parameter("on: nothing is sent, the blocks are made ready", "on", _SWITCH),
            "scale": _SCALE,
        }
    ),
)
SUBVOLUME_BLOCKS = Doc(
    "The blocks of a box, written like those of specificblocks; size and offset are in voxels and multiples "
    "of the block size. A box whose size is not, and any box with app=Neuroglancer, is answered as one block "
    "of its own size.",
    (OCTETS,),
    MappingProxyType({"compression": _COMPRESSION, "throttle": _THROTTLE, "scale": _SCALE}),
    ("subvolblocks/{size}/{offset}",),
)
BLOCKS = Doc(
    "The voxels of blocks in a row along x, uncompressed and without frames; zeros where nothing is stored.",
    (OCTETS,),
    MappingProxyType({"scale": _SCALE}),
    ("blocks/{block}/{span}",),
)
RAW = Doc(
    "A slice as an image (raw/xy/512_256/0_0_100/jpg:80), or a box of voxels, x fastest "
    "(raw/0_1_2/100_100_50/0_0_0; with /jpeg as one image). Zeros outside the volume.",
    (OCTETS, *_IMAGES),
    MappingProxyType({"throttle": _THROTTLE, "scale": _SCALE}),
    ("raw/{dims}/{size}/{offset}", "raw/{dims}/{size}/{offset}/{format}"),
)
ISOTROPIC = Doc(
    "Like raw, but a slice is scaled so that its pixels are square.",
    (OCTETS, *_IMAGES),
    MappingProxyType({"throttle": _THROTTLE, "scale": _SCALE}),
    ("isotropic/{dims}/{size}/{offset}", "isotropic/{dims}/{size}/{offset}/{format}"),
)
ARBITRARY = Doc(
    "A slice at any angle, of square pixels; its corners are in nm.",
    _IMAGES,
    MappingProxyType({"scale": _SCALE}),
    (
        "arb/{top_left}/{top_right}/{bottom_left}/{resolution}",
        "arb/{top_left}/{top_right}/{bottom_left}/{resolution}/{format}",
    ),
)
TILE = Doc(
    "A tile of a slice. The coordinate counts tiles of the level in the plane, and voxels across it.",
    _IMAGES,
    MappingProxyType(
        {
            "tilesize": Parameter("the side of a tile, in pixels; 512 by default", "64"),
            "noblanks": Parameter("true: 404 where nothing is stored", "false", ("true", "false")),
            "format": Parameter("as in the path", "png"),
        }
    ),
    ("tile/{plane}/{level}/{tile}", "tile/{plane}/{level}/{tile}/{format}"),
    (404,),
)
RAW_KEY = Doc(
    "Which objects, and which bytes of them, hold the chunks of a block.",
    (JSON,),
    MappingProxyType(
        {
            **{axis: Parameter("of the block coordinate", "0", required=True) for axis in "xyz"},
            "scale": _SCALE,
        }
    ),
)
EXTENTS = Doc("Refused: the volume says where it ends, and nobody can change it.")
RESOLUTION = Doc("Refused: the volume says how large its voxels are, and nobody can change it.")
