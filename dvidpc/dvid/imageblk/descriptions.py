"""What the endpoints of image types mean, for help and OpenAPI."""

from types import MappingProxyType

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
