"""DVID's type `keyvalue`: values by key, whatever provides them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from dvidpc.data.instance import DataType
from dvidpc.formats.dvid.go_json import JsonValue
from dvidpc.names import Companion

KEYVALUE_FAMILY: Final = "keyvalue"
KEYVALUE: Final = DataType(
    "keyvalue", "0.2", "github.com/janelia-flyem/dvid/datatype/keyvalue", KEYVALUE_FAMILY
)
KEYVALUE_COMPRESSION: Final = "LZ4 compression, level -1"


class Value(NamedTuple):
    """The value of a key."""

    data: bytes
    lod: int = 0
    """Its level of detail; 0 is the finest that is stored, or the only one."""


class Values(Protocol):
    """Values by key. Any task may call it; calls may overlap.

    Raises:
        FormatError: Stored bytes are malformed; the message names the object.
        StoreError: The bucket failed; whether there is a value is not known.
        TooLargeError: The value exceeds a limit.
    """

    async def get(self, key: str, /) -> Value | None:
        """Return the value of *key*; None if it has none."""

    async def has(self, key: str, /) -> bool:
        """Return whether *key* has a value, without reading all of it."""

    async def keys(self, first: str, last: str | None, /) -> list[str]:
        """Return the keys from *first* to *last*, both inclusive, sorted by their bytes.

        Args:
            first: The first key; "" for the first of all.
            last: The last key; None for the last of all.

        Raises:
            RequestError: The keys cannot be listed; the message says why.
        """

    async def prepare(self) -> None:
        """Read what every value needs, before it is needed; a failure is left to the next request."""

    def forget(self) -> None:
        """Drop all that is cached."""


@dataclass(frozen=True, slots=True)
class KeyvalueData:
    """Values by key: a `Data` of the type `keyvalue`."""

    companion: Companion
    values: Values

    @property
    def data_type(self) -> DataType:
        """As `Data.data_type`."""
        return KEYVALUE

    @property
    def compression(self) -> str:
        """As `Data.compression`."""
        return KEYVALUE_COMPRESSION

    @property
    def kind(self) -> str:
        """As `Data.kind`."""
        return self.companion.value

    def members(self, _store_alias: str) -> Mapping[str, JsonValue]:
        """As `Data.members`."""
        return {"Extended": {}}

    def creation(self, store_alias: str) -> str:
        """As `Data.creation`."""
        return f"gridstore:{store_alias} versioned:true"

    def forget(self) -> None:
        """As `Data.forget`."""
        self.values.forget()

    async def prepare(self) -> None:
        """As `Preparing.prepare`."""
        await self.values.prepare()
