"""Eight-bit views are exact: every value is what numpy computes from the formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dvidpc.formats.window import Window
from dvidpc.formats.window_scaling import propose_window, scale_value, scale_voxels
from tests.drawn_arrays import Voxels

WINDOWS = st.tuples(st.integers(-70_000, 70_000), st.integers(1, 70_000)).map(
    lambda pair: Window(pair[0], pair[0] + pair[1])
) | st.just(Window(-0.25, 0.5))
DTYPES = ["u1", "i1", "<u2", ">u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4"]


def expected(voxels: Voxels, window: Window) -> Voxels:
    """The formula, one value at a time."""
    shown = np.zeros(voxels.shape, np.uint8)
    for at, value in np.ndenumerate(voxels):
        if np.isnan(value):
            continue
        scaled = (float(value) - window.low) * 255 / (window.high - window.low)
        shown[at] = round(min(255.0, max(0.0, scaled)))
    return shown


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data(), window=WINDOWS)
def test_every_value_is_scaled_and_clipped(dtype: str, data: st.DataObject, window: Window) -> None:
    voxels = data.draw(npst.arrays(dtype, npst.array_shapes(min_dims=3, max_dims=4, max_side=5)))
    shown = scale_voxels(voxels, window)
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    assert (shown == expected(voxels, window)).all()


def test_every_value_of_two_bytes_is_scaled() -> None:
    for dtype in ("<u2", "<i2"):
        every = np.arange(2**16, dtype="<u2").view(dtype)
        window = Window(100, 4095)
        scaled = np.rint(np.clip((every.astype(float) - 100) * 255 / 3995, 0, 255))
        assert (scale_voxels(every, window) == scaled).all()


def test_large_arrays_are_scaled_in_slabs() -> None:
    voxels = np.linspace(-1, 2, 2**18 + 77, dtype="<f4").reshape(1, 1, 1, -1)
    scaled = np.rint(np.clip(voxels.astype(float) * 255, 0, 255))
    assert (scale_voxels(voxels, Window(0, 1)) == scaled).all()


def test_one_value_is_scaled_like_many() -> None:
    assert scale_value(7, np.dtype("<u2"), Window(0, 14)) == 128
    assert scale_value(float("nan"), np.dtype("<f4"), Window(-1, 1)) == 0
    assert scale_value(float("inf"), np.dtype("<f4"), Window(-1, 1)) == 255


def test_views_that_are_not_contiguous_are_scaled() -> None:
    voxels = np.arange(1000, dtype="<u4").reshape(10, 10, 10)[::2, :, ::-1]
    assert (scale_voxels(voxels, Window(0, 1000)) == expected(voxels, Window(0, 1000))).all()


def test_proposed_window_holds_99_percent() -> None:
    voxels = np.concatenate([np.arange(1, 1001), np.zeros(5000)]).astype("<u2")
    window = propose_window(voxels)
    assert window is not None
    low, high = np.percentile(np.arange(1, 1001), (0.5, 99.5))
    assert (window.low, window.high) == (low, high)


def test_no_window_is_proposed_for_one_value_or_none() -> None:
    assert propose_window(np.full(100, 7, "<u2")) is None
    assert propose_window(np.zeros(100, "<u2")) is None
    assert propose_window(np.full(100, np.nan, "<f4")) is None
