"""The door of this room: which documents to read, and what they say together."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.bundle import Documents, document_at
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.n5_groups import describe_n5, wanted_in_n5
from dvidpc.formats.arrays.ome import is_multiscale
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.zarr_groups import describe_zarr, wanted_in_zarr


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
    if kind is ArrayFormat.N5:
        return wanted_in_n5(known)
    return wanted_in_zarr(known, selection)


def describe_volume(kind: ArrayFormat, known: Documents, selection: ArraySelection) -> ArrayVolume:
    """Return the levels that the documents describe.

    Raises:
        ConfigError: The selection does not fit the volume; the message begins with the key's name.
        FormatError: The documents break the format, or no level can be served; names the document.
    """
    if kind is ArrayFormat.N5:
        return describe_n5(known, selection)
    return describe_zarr(known, selection)


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
    zarr3, attributes, zarr2, n5 = (_parsed(known, name) for name in MARKERS)
    if zarr3 is not None:
        own = zarr3.get("attributes")
        if isinstance(own, dict) and is_multiscale(own):
            return Recognised(ArrayFormat.ZARR, "an OME-Zarr group")
        node = "array" if zarr3.get("node_type") == "array" else "group"
        return Recognised(ArrayFormat.ZARR, f"a zarr v3 {node}")
    if zarr2 is not None:
        return Recognised(ArrayFormat.ZARR, "a zarr v2 array")
    if attributes is not None:
        text = "an OME-Zarr group" if is_multiscale(attributes) else "a zarr v2 group"
        return Recognised(ArrayFormat.ZARR, text)
    if n5 is not None:
        return Recognised(ArrayFormat.N5, "an N5 dataset" if "dimensions" in n5 else "an N5 group")
    return None


def _parsed(known: Documents, name: str) -> dict[str, Any] | None:
    """Return a document; None if it is absent or malformed."""
    try:
        return None if known.get(name) is None else document_at(known, name)
    except FormatError:
        return None
