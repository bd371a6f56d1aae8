"""Skeletons: the `info` of their directory, and the encoded skeleton of one segment.

(neuroglancer skeleton.rst)
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import parse_sharding
from dvidpc.formats.precomputed.info_values import one_of, positive, read_member
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.formats.precomputed.side_documents import decode_document, expect_type
from dvidpc.formats.precomputed.transforms import IDENTITY, Transform, read_transform

MAX_SKELETON_SIZE = 256 * 2**20
"""Size limit of an encoded skeleton in bytes: about ten million vertices."""

_TYPE = "neuroglancer_skeletons"
_COUNTS = struct.Struct("<II")
_MAX_ATTRIBUTES = 64
_MAX_COMPONENTS = 1024


class VertexAttribute(NamedTuple):
    """A value that every vertex has."""

    id: str
    data_type: DataType
    num_components: int

    @property
    def itemsize(self) -> int:
        """Bytes per vertex."""
        return self.data_type.itemsize * self.num_components


@dataclass(frozen=True, slots=True)
class SkeletonInfo:
    """The content of a skeleton directory's `info`."""

    transform: Transform
    """From stored coordinates to nanometers."""
    attributes: tuple[VertexAttribute, ...]
    sharding: ShardingSpec | None
    """None if each skeleton is an object."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A graph of points, in stored coordinates."""

    vertices: NDArray[np.float32]
    """Positions `[vertex, xyz]`."""
    edges: NDArray[np.uint32]
    """Pairs of vertex numbers `[edge, end]`; all are less than the number of vertices."""
    attributes: Mapping[str, NDArray[Any]]
    """Values `[vertex, component]` by attribute id."""


def parse_skeleton_info(data: bytes) -> SkeletonInfo:
    """Parse the `info` of a skeleton directory.

    Raises:
        FormatError: It is malformed; the message names the key.
    """
    document = decode_document(data)
    expect_type(document, _TYPE)
    return SkeletonInfo(
        transform=read_member(document, "transform", read_transform, default=IDENTITY),
        attributes=read_member(document, "vertex_attributes", _read_attributes, default=()),
        sharding=read_member(document, "sharding", parse_sharding, default=None),
    )


def _read_attributes(value: object) -> tuple[VertexAttribute, ...]:
    if not isinstance(value, list) or len(value) > _MAX_ATTRIBUTES:
        raise FormatError(f"is not a list of at most {_MAX_ATTRIBUTES} attributes")
    attributes = tuple(_read_attribute(entry) for entry in value)
    if len({attribute.id for attribute in attributes}) < len(attributes):
        raise FormatError("holds the same id twice")
    return attributes


def _read_attribute(entry: object) -> VertexAttribute:
    if not isinstance(entry, dict):
        raise FormatError("holds something other than JSON objects")
    attribute = VertexAttribute(
        read_member(entry, "id", _read_id),
        read_member(entry, "data_type", one_of(DataType)),
        read_member(entry, "num_components", positive),
    )
    if attribute.num_components > _MAX_COMPONENTS:
        raise FormatError(f"num_components is {attribute.num_components}, more than {_MAX_COMPONENTS}")
    return attribute


def _read_id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError("is not a non-empty string")
    return value


def decode_skeleton(data: bytes, info: SkeletonInfo) -> Skeleton:
    """Decode a skeleton.

    Bytes after the last attribute are ignored, as neuroglancer does: some writers store attributes that the
    `info` does not list.

    Raises:
        FormatError: It is malformed or truncated.
    """
    if len(data) < _COUNTS.size:
        raise FormatError(f"truncated skeleton: {len(data)} bytes")
    num_vertices, num_edges = _COUNTS.unpack_from(data)
    row = 12 + sum(attribute.itemsize for attribute in info.attributes)
    needed = _COUNTS.size + num_vertices * row + 8 * num_edges
    if len(data) < needed:
        raise FormatError(
            f"truncated skeleton: {len(data)} bytes for {num_vertices} vertices and {num_edges} edges, "
            f"which take {needed}"
        )
    vertices = np.frombuffer(data, "<f4", 3 * num_vertices, _COUNTS.size).reshape(-1, 3)
    at = _COUNTS.size + vertices.nbytes
    edges = np.frombuffer(data, "<u4", 2 * num_edges, at).reshape(-1, 2)
    if edges.size and int(edges.max()) >= num_vertices:
        raise FormatError(f"skeleton edge names vertex {int(edges.max())} of {num_vertices}")
    at += edges.nbytes
    attributes = {}
    for attribute in info.attributes:
        dtype = np.dtype(attribute.data_type.value).newbyteorder("<")
        values = np.frombuffer(data, dtype, num_vertices * attribute.num_components, at)
        attributes[attribute.id] = values.reshape(-1, attribute.num_components)
        at += values.nbytes
    return Skeleton(vertices, edges, attributes)
