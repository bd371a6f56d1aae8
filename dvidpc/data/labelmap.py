"""DVID's types for labels, `labelmap` and `labelblk`, and the data of a labelmap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dvidpc.data.image import ImageData, VoxelType
from dvidpc.data.instance import DataType
from dvidpc.formats.dvid.go_json import JsonValue

if TYPE_CHECKING:
    from dvidpc.data.volume_index import VolumeIndex

LABELMAP_FAMILY: Final = "labelmap"
LABELBLK_FAMILY: Final = "labelblk"

LABELMAP: Final = VoxelType(
    DataType("labelmap", "0.1", "github.com/janelia-flyem/dvid/datatype/labelmap", LABELMAP_FAMILY),
    "uint64",
    ("labelmap",),
    are_ids=True,
)
LABELBLK: Final = VoxelType(
    DataType("labelblk", "0.1", "github.com/janelia-flyem/dvid/datatype/labelblk", LABELBLK_FAMILY),
    "uint64",
    ("labelblk",),
    are_ids=True,
)

LABELMAP_COMPRESSION: Final = "gzip compression, level -1"
LABELBLK_COMPRESSION: Final = "LZ4 compression, level -1"
"""`Base.Compression` in DVID.  (dvid/serialize.go:72-74, 3400c2cb)"""


_VERSION: Final = "1"
"""DVID's local number of the only version."""


@dataclass(frozen=True, slots=True)
class LabelmapData:
    """A segmentation with all its scales: a `Data` of the type `labelmap`."""

    levels: tuple[ImageData, ...]
    """Its scales; each has half the resolution of the one before. At least two, the finest first."""
    index: "VolumeIndex | None" = None
    """Where its labels lie; None if no label index is configured."""

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return LABELMAP.data_type

    @property
    def compression(self) -> str:
        """As `Data.compression`."""
        return LABELMAP_COMPRESSION

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return self.levels[0].kind

    def members(self, store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        finest = self.levels[0]
        return {
            "Extended": self.properties(store_alias),
            "Extents": {"MinPoint": finest.min_point, "MaxPoint": finest.max_point},
        }

    def properties(self, store_alias: str) -> dict[str, JsonValue]:
        """Return the `Extended` member of the info document.

        Without a label index `MaxLabel` and `MaxRepoLabel` stay empty: only a scan of every chunk could tell.
        (labelmap.go:2210-2271, 3400c2cb)
        """
        info = None if self.index is None else self.index.info
        return {
            **self.levels[0].properties(store_alias),
            "MaxLabel": {_VERSION: info.max_label} if info is not None and info.labels else {},
            "MaxRepoLabel": 0 if info is None else info.max_label,
            "NextLabel": 0,
            "IndexedLabels": self.index is not None,
            "MaxDownresLevel": len(self.levels) - 1,
        }

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        levels = len(self.levels) - 1
        indexed = "false" if self.index is None else "true"
        return f"gridstore:{store_alias} indexedlabels:{indexed} maxdownreslevel:{levels} versioned:true"

    def forget(self) -> None:
        """As `Data.forget`."""
        for level in self.levels:
            level.forget()
