"""The registry of data types: one entry per family.

A family is imported when it is first looked up, so that a server of images starts without the modules of
segmentations.
"""

# ruff: noqa: PLC0415  # the point of this module

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from dvidpc.dvid.table import Family


def _imageblk() -> Family[Any]:
    from dvidpc.dvid.imageblk.endpoints import IMAGEBLK

    return IMAGEBLK


def _labelblk() -> Family[Any]:
    from dvidpc.dvid.labelblk.endpoints import LABELBLK_ENDPOINTS

    return LABELBLK_ENDPOINTS


def _labelmap() -> Family[Any]:
    from dvidpc.dvid.labelmap.endpoints import LABELMAP_ENDPOINTS

    return LABELMAP_ENDPOINTS


def _keyvalue() -> Family[Any]:
    from dvidpc.dvid.keyvalue.endpoints import KEYVALUE_ENDPOINTS

    return KEYVALUE_ENDPOINTS


def _neuronjson() -> Family[Any]:
    from dvidpc.dvid.neuronjson.endpoints import NEURONJSON_ENDPOINTS

    return NEURONJSON_ENDPOINTS


def _annotation() -> Family[Any]:
    from dvidpc.dvid.annotation.endpoints import ANNOTATION_ENDPOINTS

    return ANNOTATION_ENDPOINTS


def _labelsz() -> Family[Any]:
    from dvidpc.dvid.labelsz.endpoints import LABELSZ_ENDPOINTS

    return LABELSZ_ENDPOINTS


class _Families(Mapping[str, Family[Any]]):
    """Families by name, which is the value of `DataType.family`.

    Args:
        importers: Import a family, by its name.
    """

    def __init__(self, importers: Mapping[str, Callable[[], Family[Any]]]) -> None:
        self._importers = importers
        self._imported: dict[str, Family[Any]] = {}

    def __getitem__(self, name: str) -> Family[Any]:
        family = self._imported.get(name)
        if family is None:
            family = self._imported[name] = self._importers[name]()
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(self._importers)

    def __len__(self) -> int:
        return len(self._importers)


FAMILIES: Final[Mapping[str, Family[Any]]] = _Families(
    MappingProxyType(
        {
            "imageblk": _imageblk,
            "labelblk": _labelblk,
            "labelmap": _labelmap,
            "keyvalue": _keyvalue,
            "neuronjson": _neuronjson,
            "annotation": _annotation,
            "labelsz": _labelsz,
        }
    )
)
