"""The fuzz targets: every parser and decoder of bytes from a client, a bucket or a file.

A target takes arbitrary bytes. It may reject them only with a `DvidpcError`; any other exception is a bug.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import tomli

from dvidpc.config import read_config
from dvidpc.data.repo import Repo
from dvidpc.data.segment_keys import parse_key
from dvidpc.dvid.url.coordinates import parse_block_coord, parse_blocks, parse_point
from dvidpc.dvid.url.query import parse_payload
from dvidpc.errors import DvidpcError
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.compressors import Compression, decompress
from dvidpc.formats.arrays.dialects import MARKERS, ArrayFormat, describe_volume, recognise, wanted_documents
from dvidpc.formats.arrays.n5_block import N5Codec
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.shard_index import ShardLayout, decode_shard_index
from dvidpc.formats.codec import ChunkShape, check_jpeg, decode_chunk, find_obstacle, may_crash
from dvidpc.formats.data_types import DataType
from dvidpc.formats.draco import decode_draco
from dvidpc.formats.dvid.annotation_queries import make_matcher, parse_queries
from dvidpc.formats.dvid.annotation_text import encode_elements
from dvidpc.formats.dvid.key_requests import parse_json_ids, parse_json_reads, parse_protobuf_reads
from dvidpc.formats.dvid.label_index import decode_label_index, encode_label_indexes, pack_blocks
from dvidpc.formats.dvid.labels_block import decode_block, encode_block
from dvidpc.formats.dvid.labels_json import parse_ids, parse_points
from dvidpc.formats.dvid.regular_expressions import Expression
from dvidpc.formats.dvid.swc import encode_swc
from dvidpc.formats.dvid.transcoding import encode_chunk
from dvidpc.formats.grid import Box
from dvidpc.formats.lattice import Lattice
from dvidpc.formats.payloads import JPEG
from dvidpc.formats.precomputed.annotation_elements import Wanted, make_elements
from dvidpc.formats.precomputed.annotation_extents import voxel_bounds
from dvidpc.formats.precomputed.annotation_info import (
    AnnotationType,
    Collection,
    is_annotation_info,
    parse_annotation_info,
)
from dvidpc.formats.precomputed.annotation_layout import make_layout
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType
from dvidpc.formats.precomputed.annotation_records import decode_record
from dvidpc.formats.precomputed.annotation_roles import decide_roles
from dvidpc.formats.precomputed.annotation_rows import Part, decode_rows, ends_in_box, extents, gather
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings, KindProperty
from dvidpc.formats.precomputed.annotation_units import Dimension
from dvidpc.formats.precomputed.info import Encoding, parse_info
from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.formats.precomputed.label_voxels import count_labels, cut_voxels, decode_voxels
from dvidpc.formats.precomputed.legacy_mesh import decode_fragment, parse_manifest
from dvidpc.formats.precomputed.mesh_info import parse_mesh_info
from dvidpc.formats.precomputed.multilod_mesh import decode_manifest
from dvidpc.formats.precomputed.segment_properties import parse_segment_properties
from dvidpc.formats.precomputed.sharding import (
    DataEncoding,
    ShardHash,
    ShardingSpec,
    decode_minishard_index,
    decode_shard_index_entry,
)
from dvidpc.formats.precomputed.skeleton import (
    SkeletonInfo,
    VertexAttribute,
    decode_skeleton,
    parse_skeleton_info,
)
from dvidpc.formats.precomputed.transforms import IDENTITY
from dvidpc.index.index_info import parse_index_info
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.ref import parse_endpoint, parse_ref
from dvidpc.types import ChunkCoord, Point

if TYPE_CHECKING:
    from dvidpc.formats.dvid.go_json import JsonValue

_SPEC = ShardingSpec(
    preshift_bits=1,
    hash=ShardHash.IDENTITY,
    minishard_bits=2,
    shard_bits=1,
    minishard_index_encoding=DataEncoding.RAW,
    data_encoding=DataEncoding.RAW,
)
_MAX_CONTENT = 2**20
_SIZE = Point(16, 16, 16)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def query(data: bytes) -> None:
    """Parse the query values of a URL."""
    text = _text(data)
    for parse in (
        lambda: parse_blocks(text, 100),
        lambda: parse_point(text, "Size"),
        lambda: parse_block_coord(text),
        lambda: parse_payload(text, JPEG),
    ):
        _run(parse)


def uuid(data: bytes) -> None:
    """Resolve a version by UUID."""
    _run(lambda: Repo("28841c8277e044a7b187dda03e18da13", "", "", 0.0).resolve(_text(data)))


def info(data: bytes) -> None:
    """Parse an `info` file."""
    _run(lambda: parse_info(data))


def shard_entry(data: bytes) -> None:
    """Decode an entry of a shard index."""
    _run(lambda: decode_shard_index_entry(data, _SPEC))


def minishard(data: bytes) -> None:
    """Decode a minishard index and look up chunks in it."""

    def decode() -> None:
        index = decode_minishard_index(data, _SPEC)
        for chunk_id in (0, 1, 2**63, 2**64 - 1):
            index.find(chunk_id)

    _run(decode)


def content(data: bytes) -> None:
    """Decompress by `Content-Encoding`."""
    for encoding in ("gzip", "br", "zstd", "gzip, br", "aws-chunked,gzip", "nonsense"):
        _run(partial(decode_content, data, encoding, max_size=_MAX_CONTENT))


def chunk(data: bytes) -> None:
    """Decode a chunk of every encoding that runs in this process, with several data types."""
    for encoding in Encoding:
        for data_type, channels in ((DataType.UINT8, 1), (DataType.UINT8, 3), (DataType.UINT64, 1)):
            if may_crash(encoding) or find_obstacle(encoding, data_type, channels):
                continue
            _run(partial(decode_chunk, data, encoding, ChunkShape(_SIZE, channels, data_type)))
    _run(lambda: check_jpeg(data, ChunkShape(_SIZE, 1, DataType.UINT8)))


def mesh(data: bytes) -> None:
    """Decode the documents and fragments of meshes."""
    for parse in (parse_mesh_info, parse_manifest, decode_manifest, decode_fragment):
        _run(partial(parse, data))
    _run(partial(decode_draco, data, _MAX_CONTENT))


def skeleton(data: bytes) -> None:
    """Decode a skeleton and write it as SWC; parse the document of its directory."""
    radius = VertexAttribute("radius", DataType.FLOAT32, 1)
    for attributes in ((), (radius,)):
        _run(partial(_convert, data, SkeletonInfo(IDENTITY, attributes, None)))
    _run(partial(parse_skeleton_info, data))


def _convert(data: bytes, info: SkeletonInfo) -> bytes:
    return encode_swc(decode_skeleton(data, info), IDENTITY, (8, 8, 40))


def properties(data: bytes) -> None:
    """Parse segment properties and make the object of every segment."""
    _run(lambda: list(parse_segment_properties(data).objects()))


def label_chunk(data: bytes) -> None:
    """Read a compressed_segmentation chunk in every way."""

    def read(itemsize: int, sub_block: Point) -> None:
        view = parse_label_chunk(data, _SIZE, sub_block, itemsize)
        counts = count_labels(view).counts
        decoded = decode_voxels(view)
        assert counts.sum() == decoded.size
        assert label_at(view, Point(15, 15, 15)) == decoded[-1, -1, -1]
        assert labels_of(view, np.array([[15, 0, 3]]))[0] == decoded[3, 0, 15]
        assert (cut_voxels(view, Point(9, 0, 3), Point(4, 16, 1)) == decoded[3:4, :, 9:13]).all()
        assert (decode_block(encode_chunk(view), Point(2, 2, 2)) == decoded).all()

    for itemsize in (4, 8):
        for sub_block in (Point(8, 8, 8), Point(16, 16, 2), Point(7, 7, 7)):
            _run(partial(read, itemsize, sub_block))


def label_index(data: bytes) -> None:
    """Read the message of a label; one that is accepted is written as it was read. Parse the `info` too."""

    def read() -> None:
        blocks = decode_label_index(data, 300)
        labels = np.full(len(blocks.voxels), 300, np.uint64)
        assert (
            not len(labels)
            or encode_label_indexes(labels, pack_blocks(blocks.xyz), blocks.voxels).data == data
        )

    _run(read)
    _run(partial(parse_index_info, data))


def labels_block(data: bytes) -> None:
    """Decode a labels.Block; a block that is accepted survives encoding."""

    def read() -> None:
        voxels = decode_block(data, Point(2, 2, 2))
        assert (decode_block(encode_block(voxels), Point(2, 2, 2)) == voxels).all()

    _run(read)


def labels_json(data: bytes) -> None:
    """Parse the bodies of `labels` and `mapping` requests."""
    _run(lambda: parse_points(data))
    _run(lambda: parse_ids(data))


def key_requests(data: bytes) -> None:
    """Parse the bodies of `keyvalues` requests, and the keys of segments."""
    for parse in (parse_protobuf_reads, parse_json_reads, parse_json_ids):
        _run(partial(parse, data))
    parse_key(_text(data))


def annotation_query(data: bytes) -> None:
    """Parse a query of annotations, and ask it of one object."""
    body: dict[str, JsonValue] = {"bodyid": 7, "type": "Mi1 of the medulla", "tags": ["a", "b"]}
    _run(lambda: make_matcher(parse_queries(data))(body))


def annotation_info(data: bytes) -> None:
    """Parse the `info` of a collection, and decide what is in it."""

    def decide() -> None:
        collection = parse_annotation_info(data)
        make_layout(collection.annotation_type, collection.properties)
        roles = decide_roles(collection, AnnotationSettings(voxel_size_nm=(8, 8, 8)), None, "[store.x]")
        voxel_bounds(collection, roles)

    is_annotation_info(data)
    _run(decide)


def annotations(data: bytes) -> None:
    """Decode a list of annotations of every type, and write the elements that they are."""
    for kind in AnnotationType:
        properties = (
            Property("kind", PropertyType.UINT8, ((0, "PreSyn"), (1, "gap"))),
            Property("conf_pre", PropertyType.FLOAT32),
            Property("colour", PropertyType.RGBA),
        )
        dimensions = tuple(Dimension(name, 1, "um") for name in "zyx")
        collection = Collection(dimensions, (0, 0, 0), None, kind, properties, (), (), None)
        settings = AnnotationSettings((8, 8, 8), KindProperty("kind"), tags=(("colour", "c:{}"),))
        _run(partial(_write_elements, data, collection, settings))
        _run(partial(decode_record, data, make_layout(kind, properties), 1, 2))


def _write_elements(data: bytes, collection: Collection, settings: AnnotationSettings) -> None:
    roles = decide_roles(collection, settings, None, "[store.x]")
    layout = make_layout(collection.annotation_type, collection.properties)
    rows = decode_rows(data, layout, roles.placement)
    lattice = Lattice((0, 0, 0), (8, 8, 8), (4, 4, 4))
    lattice.misses((1, 1, 1), extents(rows.decoded, rows.annotation_type))
    ends = ends_in_box(rows, Box(Point(-100, -100, -100), Point(2**31, 2**31, 2**31)))
    elements = make_elements(gather([Part(rows, ends)] * 2), collection.properties, roles, Wanted())
    for line in encode_elements(elements, 0, len(elements)):
        msgspec.json.decode(line)


def expression(data: bytes) -> None:
    """Compile a regular expression, and look for it."""
    _run(lambda: Expression(_text(data)).found_in("Mi1 of the medulla"))


def array_chunk(data: bytes) -> None:
    """Decode a chunk of zarr or N5 of every compression, alone and behind another."""
    size = 4096
    for one in Compression:
        for steps in ((one,), (one, Compression.CRC32C), (Compression.ZSTD, one)):
            _run(partial(decompress, data, steps, size))
        for codec in (N5Codec((16, 16, 16), np.dtype(">u1"), (one,)), N5Codec((8, 256), np.dtype(">u2"), ())):
            _run(partial(codec.decode, data))
    _run(partial(N5Codec((16, 16, 16), np.dtype("u1"), (), is_jpeg=True).decode, data))


def array_index(data: bytes) -> None:
    """Decode the index of a shard, and look up every chunk."""
    cells = (max(1, len(data) // 32), 2)
    layout = ShardLayout(cells, cells, has_checksum=False, is_big_endian=True, perm=(2, 0, 1))

    def read() -> None:
        index = decode_shard_index(data[: layout.index_size], layout)
        assert index.end() >= 0
        for place in np.ndindex(*cells):
            _run(partial(index.find, place))

    _run(read)


def array_documents(data: bytes) -> None:
    """Describe the arrays of a directory all of whose documents are *data*; decode a chunk of each."""
    for kind in ArrayFormat:
        for selection in (ArraySelection(), ArraySelection(axes="czyx", at=(("c", 1),), ignore_offset=True)):
            _run(partial(_describe, kind, data, selection))
    recognise(dict.fromkeys(MARKERS, data))


def _describe(kind: ArrayFormat, data: bytes, selection: ArraySelection) -> None:
    known: dict[str, bytes | None] = {}
    while wanted := wanted_documents(kind, known, selection):
        known |= dict.fromkeys(wanted, data)
        assert len(known) < 100
    for level in describe_volume(kind, known, selection).levels:
        view = ChunkView(level)
        corner = ChunkCoord(0, 0, 0)
        assert view.cell_at(view.key(corner)) == corner
        if level.spec.codec.max_encoded_size < _MAX_CONTENT:
            _run(partial(view.decode, corner, data))


def ref(data: bytes) -> None:
    """Parse a `ref` and an endpoint."""
    _run(lambda: parse_ref(_text(data)))
    _run(lambda: parse_endpoint(_text(data)))


def config(data: bytes) -> None:
    """Read a configuration file."""
    try:
        document = tomli.loads(data.decode())
    except (ValueError, RecursionError):
        return
    _run(lambda: read_config(document, Path("/nowhere/config.toml")))


def _run(parse: Callable[[], object]) -> None:
    try:
        parse()
    except DvidpcError:
        return


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = MappingProxyType(
    {
        one.__name__: one
        for one in (
            query,
            uuid,
            info,
            shard_entry,
            minishard,
            content,
            chunk,
            mesh,
            skeleton,
            properties,
            label_chunk,
            label_index,
            labels_block,
            labels_json,
            key_requests,
            annotation_query,
            annotation_info,
            annotations,
            expression,
            array_chunk,
            array_index,
            array_documents,
            ref,
            config,
        )
    }
)
