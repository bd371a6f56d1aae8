"""Data types, compared with numpy's."""

import numpy as np
import pytest

from dvidpc.formats.data_types import DataType


@pytest.mark.parametrize("data_type", DataType)
def test_a_data_type_is_as_wide_as_numpys(data_type: DataType) -> None:
    assert data_type.itemsize == np.dtype(data_type.value).itemsize
