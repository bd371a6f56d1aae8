"""Units as OME-Zarr's list, other writers and people spell them."""

import pytest

from dvidpc.formats.arrays.units import nanometres_of


@pytest.mark.parametrize(
    ("unit", "nanometres"),
    [
        ("nanometer", 1),
        ("nanometers", 1),
        ("nanometre", 1),
        ("nm", 1),
        ("micrometer", 1000),
        ("Micrometer", 1000),
        ("um", 1000),
        ("\u00b5m", 1000),
        ("\u03bcm", 1000),
        ("micron", 1000),
        ("microns", 1000),
        ("angstrom", 0.1),
        ("\u00e5", 0.1),
        ("\u00c5", 0.1),
        ("picometer", 0.001),
        ("millimeter", 1e6),
        ("mm", 1e6),
        ("m", 1e9),
        ("meters", 1e9),
        ("inch", 2.54e7),
    ],
)
def test_lengths_in_nanometres(unit: str, nanometres: float) -> None:
    assert nanometres_of(unit) == pytest.approx(nanometres)


@pytest.mark.parametrize("unit", ["", "pixel", "second", "s", "ms", "parsecs?"])
def test_other_words_are_not_lengths(unit: str) -> None:
    assert nanometres_of(unit) is None
