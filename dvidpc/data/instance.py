"""Data instances: what all types have in common, and the protocol `Data` for what a type adds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

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
    """Selects the table of endpoints: `imageblk`, ..."""


class Data(Protocol):
    """The part of an instance that depends on its type."""

    @property
    def data_type(self) -> DataType:
        """The type."""

    @property
    def compression(self) -> str:
        """The text of `Base.Compression`; clients choose their decoder by its first word."""

    @property
    def kind(self) -> str:
        """What is stored, as the `KVStore` text names it: `image`, ..."""

    def members(self, store_alias: str) -> Mapping[str, JsonValue]:
        """Return the members of the info document after `Base`, such as `Extended` and `Extents`."""

    def creation(self, store_alias: str) -> str:
        """Return the settings that the repo's log shows for the creation of the instance."""

    def forget(self) -> None:
        """Drop all that is cached of the instance."""


@runtime_checkable
class Preparing(Protocol):
    """What `Data` offers besides, if a document describes it that every request needs."""

    async def prepare(self) -> None:
        """Read that document before it is needed; a failure is left to the next request."""


@runtime_checkable
class Synced(Protocol):
    """What `Data` offers besides, if it depends on other instances."""

    @property
    def syncs(self) -> tuple[str, ...]:
        """The names of the instances that it depends on: `Base.Syncs`."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Texts by name: `Base.Tags`."""


D_co = TypeVar("D_co", bound=Data, covariant=True)


@dataclass(frozen=True, slots=True)
class Instance(Generic[D_co]):
    """One data instance of the repo."""

    name: str
    data_uuid: str
    store_alias: str
    """The `[store.<alias>]` it comes from."""
    store_url: str
    """The volume's address. It holds no credentials, so any client may see it."""
    data: D_co
    format_title: str = "neuroglancer precomputed"
    """What people call the volume's format."""
