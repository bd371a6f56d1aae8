"""Parses the `info` file of a mesh directory."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info import parse_sharding
from dvidpc.formats.precomputed.info_values import integer, one_of, positive_float, read_member
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.formats.precomputed.side_documents import decode_document
from dvidpc.formats.precomputed.transforms import IDENTITY, Transform, read_transform

_QUANTIZATION_BITS = (10, 16)


class MeshType(StrEnum):
    """The `@type` of a mesh directory."""

    LEGACY = "neuroglancer_legacy_mesh"
    MULTILOD = "neuroglancer_multilod_draco"


@dataclass(frozen=True, slots=True)
class LegacyMeshInfo:
    """Meshes of one level of detail, in objects of their own, in nanometers."""


@dataclass(frozen=True, slots=True)
class MultilodMeshInfo:
    """Meshes of several levels of detail, encoded by Draco."""

    quantization_bits: int
    """Bits of a vertex coordinate within its fragment: 10 or 16."""
    transform: Transform
    """From stored coordinates to nanometers."""
    sharding: ShardingSpec | None
    """None if each manifest is an object."""


MeshInfo: TypeAlias = LegacyMeshInfo | MultilodMeshInfo


def parse_mesh_info(data: bytes | None) -> MeshInfo:
    """Parse the `info` of a mesh directory; None, for a directory that has none, means legacy meshes.

    Raises:
        FormatError: It is malformed, or of an unknown `@type`. The message names the key.
    """
    if data is None:
        return LegacyMeshInfo()
    document = decode_document(data)
    if read_member(document, "@type", one_of(MeshType)) is MeshType.LEGACY:
        return LegacyMeshInfo()
    read_member(document, "lod_scale_multiplier", positive_float)  # required, but only renderers need it
    return MultilodMeshInfo(
        quantization_bits=read_member(document, "vertex_quantization_bits", _quantization_bits),
        transform=read_member(document, "transform", read_transform, default=IDENTITY),
        sharding=read_member(document, "sharding", parse_sharding, default=None),
    )


def _quantization_bits(value: object) -> int:
    bits = integer(value)
    if bits not in _QUANTIZATION_BITS:
        raise FormatError(f"is {bits}, not 10 or 16")
    return bits
