"""Help and OpenAPI texts of the endpoints of image types."""

from types import MappingProxyType

from dvidpc.dvid.table import JSON, OCTETS, Doc, Parameter

_IMAGES = ("image/png", "image/jpeg", "image/tiff", "image/bmp")
_COMPRESSION = Parameter(
    "encoding of the voxels; the default is Compression in info",
    "uncompressed",
    ("jpeg", "uncompressed"),
)
_SCALE = Parameter("number of scales coarser than the instance; default 0", "0")
_SWITCH = ("on", "true", "off", "false")
_THROTTLE = Parameter("accepted as in DVID; no effect", "off", _SWITCH)

METADATA = Doc("The axes of the volume and the values of a voxel.", ("application/vnd.dvid-nd-data+json",))
SPECIFIC_BLOCKS = Doc(
    "Blocks by their block coordinates, in the order of the request. Each block is preceded by four int32: "
    "x, y, z and the number of bytes that follow. Blocks that are not stored are omitted.",
    (OCTETS,),
    MappingProxyType(
        {
            "blocks": Parameter("block coordinates: x,y,z,x,y,z,...", "0,0,0"),
            "compression": _COMPRESSION,
            "prefetch": Parameter("on: load the blocks into the cache and send none", "on", _SWITCH),
            "scale": _SCALE,
        }
    ),
)
SUBVOLUME_BLOCKS = Doc(
    "The blocks of a box, in the format of specificblocks. Size and offset are in voxels and must be "
    "multiples of the block size. If the size is not, or with app=Neuroglancer, the answer is one block of "
    "the size of the box.",
    (OCTETS,),
    MappingProxyType({"compression": _COMPRESSION, "throttle": _THROTTLE, "scale": _SCALE}),
    ("subvolblocks/{size}/{offset}",),
)
BLOCKS = Doc(
    "The voxels of a row of blocks along x, uncompressed and without frames. Blocks that are not stored are "
    "zero.",
    (OCTETS,),
    MappingProxyType({"scale": _SCALE}),
    ("blocks/{block}/{span}",),
)
RAW = Doc(
    "A slice as an image (raw/xy/512_256/0_0_100/jpg:80), or a box of voxels, x fastest "
    "(raw/0_1_2/100_100_50/0_0_0; with /jpeg as one image). Voxels outside the volume are zero.",
    (OCTETS, *_IMAGES),
    MappingProxyType({"throttle": _THROTTLE, "scale": _SCALE}),
    ("raw/{dims}/{size}/{offset}", "raw/{dims}/{size}/{offset}/{format}"),
)
ISOTROPIC = Doc(
    "Like raw, but slices are scaled to square pixels.",
    (OCTETS, *_IMAGES),
    MappingProxyType({"throttle": _THROTTLE, "scale": _SCALE}),
    ("isotropic/{dims}/{size}/{offset}", "isotropic/{dims}/{size}/{offset}/{format}"),
)
ARBITRARY = Doc(
    "A slice at any angle with square pixels. Its corners are in nm.",
    _IMAGES,
    MappingProxyType({"scale": _SCALE}),
    (
        "arb/{top_left}/{top_right}/{bottom_left}/{resolution}",
        "arb/{top_left}/{top_right}/{bottom_left}/{resolution}/{format}",
    ),
)
TILE = Doc(
    "A tile of a slice. In the plane, the coordinate counts tiles of the level; across it, voxels.",
    _IMAGES,
    MappingProxyType(
        {
            "tilesize": Parameter("side length of a tile in pixels; default 512", "64"),
            "noblanks": Parameter("true: 404 if nothing is stored there", "false", ("true", "false")),
            "format": Parameter("image format, as in the path", "png"),
        }
    ),
    ("tile/{plane}/{level}/{tile}", "tile/{plane}/{level}/{tile}/{format}"),
    (404,),
)
RAW_KEY = Doc(
    "The objects that hold the chunks of a block, and the byte range of each chunk.",
    (JSON,),
    MappingProxyType(
        {
            **{axis: Parameter(f"block coordinate along {axis}", "0", required=True) for axis in "xyz"},
            "scale": _SCALE,
        }
    ),
)
EXTENTS = Doc("Always refused: the volume's metadata define the extents.")
RESOLUTION = Doc("Always refused: the volume's metadata define the voxel size.")
