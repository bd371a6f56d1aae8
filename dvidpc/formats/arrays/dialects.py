"""The door of this room: which documents to read, and what they say together."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dvidpc.formats.arrays.bundle import Documents
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.selection import ArraySelection


class ArrayFormat(StrEnum):
    """A family of formats: the `engine` of a store."""

    ZARR = "zarr"
    """zarr v2, zarr v3 and OME-Zarr, told apart by their documents."""
    N5 = "n5"


def wanted_documents(kind: ArrayFormat, known: Documents, selection: ArraySelection) -> tuple[str, ...]:
    """Return the names of the documents to read next, all at once; empty if *known* are enough.

    Call it with the documents read so far, at first with none, until it returns nothing. A document that is
    not there is known as None. A name may start with `..`; one that leads out of the store counts as absent,
    and so does a parent of the directory that the store refuses to read.

    Raises:
        FormatError: The documents break the format, or describe nothing that can be served.
    """
    raise NotImplementedError


def describe_volume(kind: ArrayFormat, known: Documents, selection: ArraySelection) -> ArrayVolume:
    """Return the levels that the documents describe.

    Raises:
        ConfigError: The selection does not fit the volume; the message begins with the key's name.
        FormatError: The documents break the format, or no level can be served; names the document.
    """
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Recognised:
    """What lies in a directory."""

    kind: ArrayFormat
    text: str
    """For messages: `an OME-Zarr group`, `an N5 dataset`."""


MARKERS: Final = ("zarr.json", ".zattrs", ".zarray", "attributes.json")
"""Documents that tell formats apart."""


def recognise(known: Documents) -> Recognised | None:
    """Return what the `MARKERS` of a directory make of it; None if it is no array and no group of arrays."""
    raise NotImplementedError
