"""DVID's image types (`uint8blk`, ...) and the data of their instances."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeGuard

from dvidpc.data.instance import Data, DataType, Instance
from dvidpc.data.repo import Repo
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, quote
from dvidpc.types import BlockCoord, Point

if TYPE_CHECKING:
    from dvidpc.volume.grid_store import GridStore
    from dvidpc.volume.point_lookup import LabelLookup

FAMILY: Final = "imageblk"

_NANOMETERS = ["nanometers"] * 3


@dataclass(frozen=True, slots=True)
class VoxelType:
    """One of DVID's image types and its voxels."""

    data_type: DataType
    value_type: str
    """The data type of one value of a voxel: `uint8`, `float32`, ..."""
    labels: tuple[str, ...]
    """The names of a voxel's values in `Values`."""
    are_ids: bool = False
    """Whether values are ids of segments, which must not be interpolated."""


def _voxel_type(name: str, value_type: str, labels: tuple[str, ...], version: str) -> VoxelType:
    url = f"github.com/janelia-flyem/dvid/datatype/imageblk/{name}.go"
    return VoxelType(DataType(f"{name}blk", version, url, FAMILY), value_type, labels)


VOXEL_TYPES: Final[Mapping[str, VoxelType]] = MappingProxyType(
    {
        voxel_type.data_type.name: voxel_type
        for voxel_type in (
            _voxel_type("float32", "float32", ("float32",), "0.1"),
            _voxel_type("rgba8", "uint8", ("red", "green", "blue", "alpha"), "0.2"),
            _voxel_type("uint16", "uint16", ("uint16",), "0.1"),
            _voxel_type("uint32", "uint32", ("uint32",), "0.1"),
            _voxel_type("uint64", "uint64", ("uint64",), "0.1"),
            _voxel_type("uint8", "uint8", ("uint8",), "0.2"),
        )
    }
)
"""Every image type that can be served, in the order of the names.  (datatype/imageblk/*.go, 3400c2cb)"""


def find_voxel_type(value_type: str, num_values: int) -> VoxelType | None:
    """Return DVID's type for voxels of *num_values* values; None if DVID has none.

    DVID has no signed types. Signed voxels are served bit for bit as the unsigned type of the same width, and
    `Values` names the real type.
    """
    for voxel_type in VOXEL_TYPES.values():
        if len(voxel_type.labels) == num_values:
            if voxel_type.value_type == value_type:
                return voxel_type
            if voxel_type.value_type == f"u{value_type}":
                return replace(voxel_type, value_type=value_type, labels=(value_type,))
    return None


@dataclass(frozen=True, slots=True)
class ImageData:
    """One scale of a volume of voxels: a `Data` of one of DVID's image types, or a scale of labels."""

    voxel_type: VoxelType
    scale_level: int
    compression: str
    voxel_size: tuple[float, float, float]
    """Along x, y and z, in nanometers."""
    min_point: Point
    """The first voxel."""
    max_point: Point
    """The last voxel, inclusive; DVID in this mode names the voxel after it."""
    block_size: int
    """Voxels along each edge of a block."""
    grid: "GridStore"
    stored_as: str
    """How the bucket stores the voxels: `jpeg chunks of 64 x 64 x 64, sharded`."""
    served_how: str
    """How chunks are turned into blocks by default: `as stored`, ..."""
    channel: int = 0
    """The channel of the volume that it shows, if each channel has its own instances."""
    is_full: bool = False
    """Whether it shows stored voxels besides instances that show them as 8 bits."""
    background: int = 0
    """The value of voxels in chunks that are not stored."""
    lookup: "LabelLookup | None" = None
    """Reads single labels; None for an image."""

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return self.voxel_type.data_type

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return "segmentation" if self.voxel_type.are_ids else "image"

    @property
    def size(self) -> Point:
        """Voxels along x, y and z."""
        first, last = self.min_point, self.max_point
        return Point(last.x - first.x + 1, last.y - first.y + 1, last.z - first.z + 1)

    @property
    def min_index(self) -> BlockCoord:
        """The block that holds the first voxel."""
        return self._block_of(self.min_point)

    @property
    def max_index(self) -> BlockCoord:
        """The block that holds the last voxel."""
        return self._block_of(self.max_point)

    def members(self, store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        return {
            "Extended": self.properties(store_alias),
            "Extents": {"MinPoint": self.min_point, "MaxPoint": self.max_point},
        }

    def properties(self, store_alias: str) -> dict[str, JsonValue]:
        """Return the `Extended` member of the info document.

        (datatype/imageblk, 3400c2cb)
        """
        voxel_type = self.voxel_type
        return {
            "Values": [{"DataType": voxel_type.value_type, "Label": label} for label in voxel_type.labels],
            "Interpolable": not voxel_type.are_ids,
            "BlockSize": [self.block_size] * 3,
            "VoxelSize": self.voxel_size,
            "VoxelUnits": _NANOMETERS,
            "MinPoint": self.min_point,
            "MaxPoint": self.max_point,
            "MinIndex": self.min_index,
            "MaxIndex": self.max_index,
            "Background": self.background,
            "GridStore": store_alias,
            "ScaleLevel": self.scale_level,
        }

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        compression = "jpeg" if self.compression.startswith("jpeg") else "none"
        return (
            f"compression:{compression} gridstore:{store_alias} scalelevel:{self.scale_level} versioned:true"
        )

    def forget(self) -> None:
        """As `Data.forget`."""
        self.grid.forget()

    def _block_of(self, point: Point) -> BlockCoord:
        return BlockCoord(point.x // self.block_size, point.y // self.block_size, point.z // self.block_size)


def is_image(instance: Instance[Data]) -> TypeGuard[Instance[ImageData]]:
    """Whether an instance is of an image type."""
    return isinstance(instance.data, ImageData)


def coarser_instance(repo: Repo, instance: Instance[ImageData], levels: int) -> Instance[ImageData]:
    """Return the instance of the same volume that is *levels* scales coarser than *instance*.

    Raises:
        RequestError: The volume has no such scale.
    """
    if levels == 0:
        return instance
    data = instance.data
    wanted = (instance.store_alias, data.channel, data.is_full, data.scale_level + levels)
    for other in repo.instances.values():
        if not is_image(other):
            continue
        data = other.data
        if (other.store_alias, data.channel, data.is_full, data.scale_level) == wanted:
            return other
    raise RequestError(f"data {quote(instance.name)} has no scale {levels}")
