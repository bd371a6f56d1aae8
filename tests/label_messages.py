"""DVID's `LabelIndex` and `LabelIndices`, read by Google's protobuf."""

from functools import cache
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Message: TypeAlias = Any
"""A message, whose fields are attributes."""

_FIELD = descriptor_pb2.FieldDescriptorProto


def read_label_index(data: bytes) -> Message:
    """Return a `LabelIndex`."""
    return _classes()["LabelIndex"].FromString(data)


def read_label_indices(data: bytes) -> Message:
    """Return the messages of a `LabelIndices`."""
    return _classes()["LabelIndices"].FromString(data).indices


@cache
def _classes() -> dict[str, Any]:
    """Return protobuf's classes, described as in DVID's labelops.proto."""
    file = descriptor_pb2.FileDescriptorProto(name="labelops.proto", package="proto", syntax="proto3")
    count = file.message_type.add(name="SVCount")
    _add_map(count, "counts", _FIELD.TYPE_UINT32)
    index = file.message_type.add(name="LabelIndex")
    _add_map(index, "blocks", _FIELD.TYPE_MESSAGE, ".proto.SVCount")
    index.field.add(name="label", number=2, type=_FIELD.TYPE_UINT64, label=1)
    index.field.add(name="last_mutid", number=3, type=_FIELD.TYPE_UINT64, label=1)
    file.message_type.add(name="LabelIndices").field.add(
        name="indices", number=1, type=_FIELD.TYPE_MESSAGE, label=3, type_name=".proto.LabelIndex"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"proto.{name}"))
        for name in ("LabelIndex", "LabelIndices")
    }


def _add_map(
    owner: descriptor_pb2.DescriptorProto, name: str, value: int, value_type: str | None = None
) -> None:
    """Add `map<uint64, value> name = 1`."""
    entry = owner.nested_type.add(name=f"{name.capitalize()}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_UINT64, label=1)
    entry.field.add(name="value", number=2, type=value, label=1, type_name=value_type)
    place = f".proto.{owner.name}.{entry.name}"
    owner.field.add(name=name, number=1, type=_FIELD.TYPE_MESSAGE, label=3, type_name=place)
