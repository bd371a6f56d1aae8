"""What every data instance has, whatever its type; what a type adds is behind `Data`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dvidpc.formats.dvid.go_json import JsonValue


@dataclass(frozen=True, slots=True)
class DataType:
    """One of DVID's types of data."""

    name: str
    """`uint8blk`, `labelmap`, ..."""
    version: str
    url: str
    """The file of DVID that defines the type, as `TypeURL` names it."""
    family: str
    """Which table of endpoints answers for it: `imageblk`, ..."""


class Data(Protocol):
    """What one instance serves, as its type knows it."""

    @property
    def data_type(self) -> DataType:
        """The type."""

    @property
    def compression(self) -> str:
        """What `Base.Compression` says; clients choose their decoder by its first word."""

    @property
    def kind(self) -> str:
        """What is stored, as the `KVStore` text names it: `image`, ..."""

    def members(self, store_alias: str) -> Mapping[str, JsonValue]:
        """Return what the info document holds after `Base`, such as `Extended` and `Extents`."""

    def creation(self, store_alias: str) -> str:
        """Return the settings that the repo's log shows for the creation of the instance."""

    def forget(self) -> None:
        """Drop all that is cached of the instance."""


D_co = TypeVar("D_co", bound=Data, covariant=True)


@dataclass(frozen=True, slots=True)
class Instance(Generic[D_co]):
    """One data instance of the repo."""

    name: str
    data_uuid: str
    store_alias: str
    """The `[store.<alias>]` it comes from."""
    store_url: str
    """The volume's address, which everybody may see: it holds no credentials."""
    data: D_co
