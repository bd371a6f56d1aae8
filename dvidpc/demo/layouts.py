"""The formats that the demo's volumes can be written in."""

from enum import StrEnum


class Layout(StrEnum):
    """A format, by the name that the command line gives it."""

    PRECOMPUTED = "precomputed"
    """Neuroglancer's, sharded, with meshes and skeletons."""
    ZARR = "zarr"
    """OME-Zarr 0.5: zarr v3, sharded, with the segmentation as a label image."""

    @property
    def directory(self) -> str:
        """Its directory in the user's cache: has a new number whenever the volume changes."""
        return {Layout.PRECOMPUTED: "demo-v5", Layout.ZARR: "demo-zarr-v1"}[self]

    @property
    def engine(self) -> str:
        """The `engine` of its stores."""
        return {Layout.PRECOMPUTED: "ngprecomputed", Layout.ZARR: "zarr"}[self]

    @property
    def metadata(self) -> str:
        """The file that says that the volume is written."""
        return {Layout.PRECOMPUTED: "info", Layout.ZARR: "zarr.json"}[self]

    @property
    def segmentation(self) -> str:
        """The directory of the neurites in that of the image."""
        return {Layout.PRECOMPUTED: "segmentation", Layout.ZARR: "labels/segmentation"}[self]

    @property
    def has_index(self) -> bool:
        """Whether the neurites have a label index."""
        return self is Layout.PRECOMPUTED
