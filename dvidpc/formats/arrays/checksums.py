"""CRC32C, which zarr v3 appends to chunks and shard indexes."""

from importlib import import_module
from typing import Final

from dvidpc.errors import FormatError

CHECKSUM_SIZE: Final = 4


def strip_checksum(data: bytes | bytearray | memoryview) -> memoryview:
    """Return *data* without the little-endian CRC32C at its end.

    (zarr v3 codec "crc32c")

    Raises:
        FormatError: There is none, or it does not belong to the data.
    """
    if len(data) < CHECKSUM_SIZE:
        raise FormatError(f"{len(data)} bytes are too few for a CRC32C checksum")
    view = memoryview(data)
    body, stored = view[:-CHECKSUM_SIZE], view[-CHECKSUM_SIZE:]
    if import_module("google_crc32c").value(body.tobytes()) != int.from_bytes(stored, "little"):
        raise FormatError("its CRC32C checksum does not match: the bytes are damaged")
    return body
