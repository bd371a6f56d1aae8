"""Images of labels, compared with DVID's recorded ones."""

import io

import imagecodecs
import mmh3
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dvidpc.formats.dvid.pseudocolor import color_labels
from dvidpc.formats.images import pixels_of
from tests.recorded_labels import Answer, array, find, stored_volume

COLORED = [a for a in find("segmentation_noindex", "pseudocolor/") if "/jpg" not in a.path]
RAW = [
    a
    for instance in ("segmentation", "segmentation_noindex")
    for a in find(instance, "raw/")
    if a.path.split("/")[1] in ("xy", "0_1", "xz", "0_2", "yz", "1_2")
    and not a.path.endswith(("/jpg", "/jpg:80", "/tif"))
]


def plane_of(answer: Answer) -> NDArray[np.uint64]:
    """Return the labels `[row, column]` that the path of a recorded answer names; 0 outside the volume."""
    _, shape, size, offset, *_ = answer.path.split("?")[0].split("/")
    width, height = map(int, size.split("_"))
    first, second = {"xy": (0, 1), "xz": (0, 2), "yz": (1, 2)}.get(shape) or map(int, shape.split("_"))
    source = array("scale1") if "scale=1" in answer.path else stored_volume()
    at = np.broadcast_to(np.array([int(n) for n in offset.split("_")]), (height, width, 3)).copy()
    at[..., first] += np.arange(width)
    at[..., second] += np.arange(height)[:, None]
    bounds = np.array(source.shape[::-1])
    inside = np.where((at >= 0) & (at < bounds), 1, 0).prod(axis=-1, keepdims=True)
    x, y, z = np.where(inside, at, 0).transpose(2, 0, 1)
    return np.where(inside[..., 0], source[z, y, x], np.uint64(0))


@pytest.mark.parametrize("answer", COLORED, ids=lambda answer: answer.path)
def test_colors_are_those_of_dvid(answer: Answer) -> None:
    recorded = np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGB"))
    assert (color_labels(plane_of(answer)) == recorded).all()


@pytest.mark.parametrize("answer", RAW, ids=lambda answer: f"{answer.instance}/{answer.path}")
def test_raw_planes_keep_all_bits_of_a_label(answer: Answer) -> None:
    recorded = imagecodecs.png_decode(answer.body)
    assert recorded.dtype == np.uint16
    ours = pixels_of(plane_of(answer)[None])
    assert (ours[..., : recorded.shape[-1]] == recorded).all()


def test_there_are_enough_recordings() -> None:
    assert (len(COLORED), len(RAW)) >= (4, 10)


def test_colors_are_murmur3() -> None:
    labels = np.random.default_rng(2).integers(0, 2**64, (5, 7), np.uint64)
    labels[0, :3] = [0, 2**53 + 1, 2**64 - 1]
    for label, color in zip(
        labels.reshape(-1).tolist(), color_labels(labels).reshape(-1, 3).tolist(), strict=True
    ):
        hashed = mmh3.hash(label.to_bytes(8, "little"), 0, signed=False)
        assert color == [*hashed.to_bytes(4, "big")[:3]]


def test_smaller_labels_have_the_same_colors() -> None:
    labels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    assert (color_labels(labels) == color_labels(labels.astype(np.uint64))).all()
