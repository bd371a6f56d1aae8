"""The section of a store as a frozen value, with every default."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from dvidpc.config import annotation_keys as of_annotations
from dvidpc.config import array_values as of_array
from dvidpc.config import store_values as of_store
from dvidpc.config.values import (
    ENDPOINT,
    FLAG,
    OPTIONAL_TEXT,
    OPTIONAL_WORD,
    PATH,
    Key,
    choice,
)
from dvidpc.formats.precomputed.annotation_settings import End, Kind, KindProperty, MemberName, VoxelSize
from dvidpc.formats.window import Window
from dvidpc.storage.ref import Ref


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """`[store.<alias>]`: one volume, and how to access it."""

    alias: str
    """The store's name in the file."""
    ref: Annotated[Ref, Key(of_store.REF)]
    """The location of the volume: `s3://bucket/prefix`, `gs://bucket/prefix`,
    `vast://endpoint/bucket/prefix`, `https://host/path`, `file:///path`, an absolute path, or
    `bucket/prefix`, which is GCS as in DVID. What neuroglancer writes is understood too: `zarr://`, `n5://`
    or `precomputed://` before it, `|zarr3:path`, `|n5:path` or `|neuroglancer-precomputed:` after it. It may
    name a metadata file in place of its directory; a directory called `info` needs a `/` at its end."""
    engine: Annotated[str, Key(of_store.ENGINE)] = "ngprecomputed"
    """The volume's format: `"ngprecomputed"`, `"zarr"` (zarr v2 and v3, OME-Zarr) or `"n5"`. Stores with
    another engine are ignored."""
    root: Annotated[Ref | None, Key(of_store.ROOT)] = None
    """A location that contains the volume, written like `ref`; the volume's keys and redirects may not lead
    out of it. Unset: the bucket, the web server, or the directory above the volume's; for N5, whose
    attributes are inherited, two directories above."""
    instance: Annotated[str | None, Key(of_store.INSTANCE)] = None
    """The data name of scale 0, or of the first that `skip_scales` leaves in. Further scales are `name_1`,
    `name_2`, and so on. Unset: the volume is not served."""
    uuid: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The version that DVID would put the instances in. Here all are in the one version of the one repo."""
    testing: Annotated[bool, Key(FLAG)] = False
    """Accepted for DVID, without effect."""
    endpoint: Annotated[str | None, Key(ENDPOINT)] = None
    """The URL of the service. Unset: `AWS_ENDPOINT_URL` or the like in the environment, or else the
    vendor's own."""
    region: Annotated[str | None, Key(OPTIONAL_WORD)] = None
    """The bucket's region. Unset: taken from the environment, or else asked of the bucket."""
    profile: Annotated[str | None, Key(OPTIONAL_WORD)] = None
    """A profile of `~/.aws`. Unset: taken from the environment."""
    anonymous: Annotated[bool, Key(FLAG)] = False
    """Whether to send unsigned requests without looking for credentials."""
    path_style: Annotated[bool | None, Key(of_store.PATH_STYLE)] = None
    """Whether the bucket's name is in the path of URLs rather than in the host name. `"auto"`, the default:
    as `addressing_style` of the AWS profile says, or else in the path, but not at AWS itself."""
    ca_bundle: Annotated[Path | None, Key(PATH)] = None
    """A file with the certificates to trust. Unset: the system's."""
    requester_pays: Annotated[bool, Key(FLAG)] = False
    """Whether to accept charges for what is read."""
    user_project: Annotated[str | None, Key(OPTIONAL_WORD)] = None
    """The Google project to bill. Unset: none is named."""
    block_size: Annotated[int | None, Key(of_store.BLOCK_SIZE)] = 64
    """The side of a block in voxels. `"chunk"`: the volume's chunk size, as in DVID."""
    label_type: Annotated[Literal["labelmap", "labelblk", "both"], Key(of_store.LABEL_TYPE)] = "labelmap"
    """How a segmentation is served: as one `labelmap`, as a `labelblk` for each scale (for lowtis with a
    libdvid of 2022-11 or later), or as both; then the `labelblk` instances are named `<instance>_blk`,
    `<instance>_blk_1`, and so on."""
    label_index: Annotated[Ref | None, Key(of_store.LABEL_INDEX)] = None
    """The location of the segmentation's label index, written like `ref`, as `dvidpc index build` made it. In
    a bucket of the same kind it is accessed like the volume, with the keys of this section; elsewhere with
    the defaults. Unset: endpoints that need to know where a label lies are refused."""
    missing_status: Annotated[frozenset[int], Key(of_store.MISSING_STATUS)] = frozenset({404})
    """HTTP statuses that mean "no such object". They count only while `info` can be read, and never for
    `info` itself."""
    etag: Annotated[Literal["compare", "ignore"], Key(choice("compare", "ignore"))] = "compare"
    """`"compare"`: a shard whose ETag changes was replaced, unless its size and `Last-Modified` show that it
    was not. `"ignore"`, a last resort for services without meaningful ETags: only size, `Last-Modified` and
    version tell."""
    skip_scales: Annotated[frozenset[int], Key(of_store.SKIP_SCALES)] = frozenset()
    """Scales to leave out, such as an empty placeholder, by their position in the volume's `info`: 0 is the
    first. The first scale that is left is `name`, and the others keep their distance from it: with `[0]`,
    scale 1 is `name` and scale 3 is `name_2`."""
    window: Annotated[Window | None, Key(of_array.WINDOW)] = None
    """For images: the values that are shown as black and as white, such as `[0, 4095]`. The volume is then
    served as `uint8blk`, scaled linearly and clipped, as JPEG by default. `dvidpc check` proposes one. Unset:
    voxels are served as they are stored."""
    full: Annotated[bool, Key(FLAG)] = False
    """Whether to serve the voxels as they are stored too, besides `window`: as `name_full`, `name_full_1`,
    and so on."""
    type: Annotated[Literal["image", "segmentation"] | None, Key(of_array.VOLUME_TYPE)] = None
    """For zarr and N5: what the voxels are. Unset: a segmentation if the metadata says so (the `image-label`
    of OME-Zarr), else an image."""
    multiscale: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """For zarr and N5: the name of the multiscale to serve, where a group has several. Unset: the first."""
    axes: Annotated[str | None, Key(of_array.AXES)] = None
    """For zarr and N5: the names of the dimensions in the array's own order, one letter each, such as
    `"czyx"`. Unset: as the metadata says."""
    at: Annotated[tuple[tuple[str, int], ...], Key(of_array.AT)] = ()
    """For zarr and N5: positions on other axes than x, y and z, such as `{ t = 0, c = 1 }`. Needed for a time
    axis. A channel axis without a position is served as `name`, `name_c1`, and so on."""
    resolution: Annotated[tuple[float, float, float] | None, Key(of_array.RESOLUTION)] = None
    """For zarr and N5: the extent of a voxel of the finest level along x, y and z, in nm. Unset: as the
    metadata says."""
    offset: Annotated[Literal["metadata", "ignore"], Key(of_array.OFFSET)] = "metadata"
    """For zarr and N5: `"ignore"` puts the first voxel of every level at 0,0,0. `"metadata"`: where the
    metadata says."""
    dimension_separator: Annotated[str | None, Key(of_array.SEPARATOR)] = None
    """For zarr v2: what separates the numbers in the names of chunks, `"/"` or `"."`. Unset: as the metadata
    says."""
    sync: Annotated[str | None, Key(of_annotations.SYNC)] = None
    """Annotations only: the instance of the segmentation whose voxels positions count in, and which clients
    look up as `Syncs`. Unset: the only segmentation of the file, if there is just one."""
    voxel_size: Annotated[VoxelSize | None, Key(of_annotations.VOXEL_SIZE)] = None
    """Annotations only: the size of the voxels that positions count in, along x, y and z in nm. Unset: that
    of `sync`, else that of the first image of the file, else the unit of the collection's dimensions."""
    kind: Annotated[tuple[Kind, Kind] | KindProperty | None, Key(of_annotations.KIND)] = None
    """Annotations only: the kind of each element, `PreSyn`, `PostSyn`, `Gap` or `Note`: an array for a line's
    A and B, one word for any other, or `"property:<id>"` for a property whose values have such names. Unset:
    decided by the names of properties and relationships, as [formats](formats.md#annotations) says."""
    bodies: Annotated[tuple[tuple[str, End], ...], Key(of_annotations.BODIES)] = ()
    """Annotations only: which end of a line, `"a"` or `"b"`, lies in the segments of a relationship. For
    points there is only `"a"`. Empty: decided by the names of the relationships."""
    tags: Annotated[tuple[tuple[str, str], ...], Key(of_annotations.TAGS)] = ()
    """Annotations only: properties that become tags, and the text of the tag, with `{}` for the value. Empty:
    elements have no tags."""
    props: Annotated[tuple[tuple[str, MemberName], ...], Key(of_annotations.PROPS)] = ()
    """Annotations only: other names of properties in `Prop`; `"a:conf"` and `"b:conf"` name the end that a
    property belongs to, and `""` leaves it out. Empty: decided by the names of the properties."""
    margin: Annotated[float | None, Key(of_annotations.MARGIN)] = None
    """Annotations only: how far a line may reach from a cell of the spatial index that lists it, in units of
    the collection's dimensions. `"auto"`, the default: as far as the longest one of the coarsest level, which
    is a sample. `dvidpc check --deep` measures the true length."""
