"""DVID's type `neuronjson`: a JSON object for each body."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dvidpc.data.instance import DataType
from dvidpc.formats.dvid.go_json import JsonValue
from dvidpc.names import Companion

T = TypeVar("T")

NEURONJSON_FAMILY: Final = "neuronjson"
NEURONJSON: Final = DataType(
    "neuronjson", "0.1", "github.com/janelia-flyem/dvid/datatype/neuronjson", NEURONJSON_FAMILY
)
NEURONJSON_COMPRESSION: Final = "LZ4 compression, level -1"


class Annotations(Protocol):
    """The objects of all bodies at one moment."""

    @property
    def ids(self) -> NDArray[np.uint64]:
        """The bodies that have an object, ascending."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The members that objects can have, sorted."""

    def find(self, segment_id: int, /) -> Mapping[str, JsonValue] | None:
        """Return the object of a body; None if it has none."""

    def objects(self, first: int = 0, last: int = 2**64 - 1) -> Iterator[tuple[int, Mapping[str, JsonValue]]]:
        """Yield id and object of every body from *first* to *last*, both inclusive, in ascending order."""


class AnnotationSource(Protocol):
    """Reads annotations."""

    async def load(self) -> Annotations:
        """Return the current annotations.

        Raises:
            FormatError: They are malformed or do not exist; the message names the object.
            StoreError: The bucket failed.
        """


@dataclass(frozen=True, slots=True)
class NeuronjsonData:
    """Annotations of bodies: a `Data` of the type `neuronjson`."""

    source: AnnotationSource
    pool: Executor
    """Runs what iterates over all objects."""

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return NEURONJSON

    @property
    def compression(self) -> str:
        """As `Data.compression`."""
        return NEURONJSON_COMPRESSION

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return Companion.ANNOTATIONS.value

    def members(self, _store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        return {"Extended": {}}

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        return f"gridstore:{store_alias} versioned:true"

    def forget(self) -> None:
        """As `Data.forget`: what is cached is checked against the bucket whenever it is used again."""

    async def in_pool(self, step: Callable[[], T]) -> T:
        """Run *step*, which may be slow, in the thread pool."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, step)
