"""Isolated decoding fails with a clear error if no process can be started."""

import resource

import pytest

from dvidpc.errors import OverloadedError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.sources.isolation import Isolation
from dvidpc.types import Point


def test_without_a_free_file_descriptor_decoding_is_overloaded() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    isolation = Isolation()
    shape = ChunkShape(Point(8, 8, 8), 1, DataType.FLOAT32, None)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OverloadedError, match="cannot start a process"):
            isolation.decode(b"chunk", Encoding.FPZIP, shape)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        isolation.close()
