"""The values of properties and geometries as text, many at once."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.elements import Texts
from dvidpc.formats.lattice import Placement
from dvidpc.formats.precomputed.annotation_info import RANK, AnnotationType
from dvidpc.formats.precomputed.annotation_layout import GEOMETRY
from dvidpc.formats.precomputed.annotation_properties import Property, PropertyType
from dvidpc.formats.precomputed.annotation_records import Decoded

_COLOURS: Final = (PropertyType.RGB, PropertyType.RGBA)


class Coded(NamedTuple):
    """A value for each annotation, as a number that stands for a text."""

    codes: NDArray[np.int64]
    """`[n]`; equal values have equal codes."""
    num_codes: int
    """How many codes there are; they begin with 0."""
    texts: Texts

    @property
    def all_texts(self) -> Sequence[str]:
        """The text of every code."""
        return self.texts(np.arange(self.num_codes))


def code_property(records: NDArray[Any], prop: Property) -> Coded:
    """Return the values of a property as text.

    A value that has a label is the label. Integers are decimal; a float32 is the shortest decimal that reads
    back, without an exponent; booleans are `true` and `false`; colours are `#rrggbb` or `#rrggbbaa`.
    """
    used, codes = np.unique(property_bits(records, prop), return_inverse=True)
    return Coded(codes.reshape(-1), len(used), lambda chosen: _texts(used[chosen], prop))


def property_bits(records: NDArray[Any], prop: Property) -> NDArray[Any]:
    """Return the values of a property as integers that are equal if the stored bits are."""
    values = records[prop.id]
    if prop.type in _COLOURS:
        shifts = np.arange(values.shape[1] - 1, -1, -1, dtype=np.uint32) * np.uint32(8)
        return np.asarray((values.astype(np.uint32) << shifts).sum(axis=1), np.int64)
    if prop.type is PropertyType.FLOAT32:
        return np.ascontiguousarray(values).view("<u4")
    return np.asarray(values)


def _texts(used: NDArray[Any], prop: Property) -> list[str]:
    if prop.type in _COLOURS:
        digits = 6 if prop.type is PropertyType.RGB else 8
        return [f"#{value:0{digits}x}" for value in used.tolist()]
    if prop.type is PropertyType.FLOAT32:
        labels = {float(np.float32(value)): label for value, label in reversed(prop.labels)}
        return [labels.get(float(value)) or format_float32(value) for value in used.view("<f4")]
    known = dict(reversed(prop.labels))
    if prop.type is PropertyType.BOOL:
        return [known.get(value) or ("true" if value else "false") for value in used.tolist()]
    return [known.get(value) or str(value) for value in used.tolist()]


def format_float32(value: np.float32) -> str:
    """Return the shortest decimal that reads back as *value*, without an exponent; or `NaN`, `Infinity`."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    text = str(value)
    if "e" in text:
        text = np.format_float_positional(value, trim="-")
    return text.removesuffix(".0")


def code_geometry(
    decoded: Decoded, annotation_type: AnnotationType, placement: Placement
) -> Mapping[str, Coded]:
    """Return what the one position of an annotation does not say, in voxels, by the name of the member.

    Boxes have `min` and `max`, ellipsoids `radii`, polylines `points`; see `GEOMETRY_MEMBERS`.
    """
    if decoded.vertices is not None:
        points = _join(placement.place(decoded.vertices.points).voxels)
        runs = [";".join(points[a:b]) for a, b in pairwise(decoded.vertices.firsts.tolist())]
        return {"points": _code(runs)}
    if annotation_type is AnnotationType.BOX:
        corners = placement.place(decoded.records[GEOMETRY].reshape(-1, 2, RANK)).voxels
        return {"max": _code(_join(corners.max(axis=1))), "min": _code(_join(corners.min(axis=1)))}
    if annotation_type is AnnotationType.ELLIPSOID:
        radii = decoded.records[GEOMETRY].reshape(-1, 2, RANK)[:, 1, list(placement.axes)]
        with np.errstate(all="ignore"):
            in_voxels = (radii * np.array(placement.voxels_per_unit)).astype(np.float32)
        return {"radii": _code(["_".join(map(format_float32, each)) for each in in_voxels])}
    return {}


def _join(voxels: NDArray[np.int32]) -> list[str]:
    return [f"{x}_{y}_{z}" for x, y, z in voxels.tolist()]


def _code(texts: Sequence[str]) -> Coded:
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(text, len(known)) for text in texts], np.int64)
    distinct = list(known)
    return Coded(codes, len(distinct), lambda chosen: [distinct[code] for code in chosen.tolist()])
