"""The demo's tissue looks like a micrograph, and its labels are the neurites that the image shows."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dvidpc.demo.tissue import Region, Tissue

SHAPE = (70, 131, 135)
WHOLE = (slice(0, 70), slice(0, 131), slice(0, 135))
PARTS: list[Region] = [
    (slice(0, 1), slice(0, 1), slice(0, 1)),
    (slice(64, 70), slice(64, 131), slice(128, 135)),
    (slice(10, 33), slice(24, 101), slice(30, 31)),
]


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return Tissue(SHAPE, seed=8)


@pytest.fixture(scope="module")
def image(tissue: Tissue) -> NDArray[np.uint8]:
    return tissue.draw(WHOLE).image


@pytest.fixture(scope="module")
def labels(tissue: Tissue) -> NDArray[np.uint64]:
    return tissue.draw(WHOLE).labels


def test_brightness_is_that_of_a_micrograph(image: NDArray[np.uint8]) -> None:
    assert 90 < image.mean() < 170
    assert 20 < image.std() < 70
    assert np.percentile(image, 1) < 80
    assert np.percentile(image, 90) > 140


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_tissue_goes_on_from_slice_to_slice(image: NDArray[np.uint8], axis: int) -> None:
    slices = np.moveaxis(image, axis, 0)
    for here, there in pairwise(slices):
        assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.7


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_no_face_is_black_or_blank(image: NDArray[np.uint8], axis: int, end: int) -> None:
    face = image.take(end, axis)
    assert 90 < face.mean() < 170
    assert face.std() > 15


def test_the_same_seed_gives_the_same_tissue(image: NDArray[np.uint8], labels: NDArray[np.uint64]) -> None:
    again, other = Tissue(SHAPE, seed=8), Tissue(SHAPE, seed=9)
    assert np.array_equal(again.draw(WHOLE).image, image)
    assert np.array_equal(again.draw(WHOLE).labels, labels)
    assert not np.array_equal(other.draw(WHOLE).image, image)
    assert not np.array_equal(other.draw(WHOLE).labels, labels)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_drawn_as_in_the_whole(
    tissue: Tissue, image: NDArray[np.uint8], labels: NDArray[np.uint64], part: Region
) -> None:
    # Rounding may differ in the last bit of a distance.
    assert (tissue.draw(part).labels != labels[part]).mean() < 1e-4
    assert np.abs(tissue.draw(part).image.astype(int) - image[part]).max() <= 1


def test_labels_are_many_neurites_between_membranes(labels: NDArray[np.uint64]) -> None:
    assert labels.dtype == np.uint64
    assert labels.shape == SHAPE
    assert 0.1 < (labels == 0).mean() < 0.4
    numbers, sizes = np.unique(labels[labels > 0], return_counts=True)
    assert len(numbers) > 10
    assert sizes.max() < labels.size / 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_membrane_lies_between_any_two_neurites(labels: NDArray[np.uint64], axis: int) -> None:
    lines = np.moveaxis(labels, axis, 0)
    touching = (lines[1:] != lines[:-1]) & (lines[1:] > 0) & (lines[:-1] > 0)
    assert touching.mean() < 0.002


def test_membranes_are_dark_in_the_image(image: NDArray[np.uint8], labels: NDArray[np.uint64]) -> None:
    assert image[labels == 0].mean() + 40 < image[labels > 0].mean()
