"""Requests beyond a limit are refused with the name of the limit; at the limit they pass."""

import pytest

from dvidpc.dvid.limits import check_block_count, check_size
from dvidpc.errors import TooLargeError


def test_more_blocks_than_the_limit_are_refused() -> None:
    check_block_count(10, 10)
    with pytest.raises(TooLargeError, match=r"11 blocks .* at most 10 \(max_blocks\)"):
        check_block_count(11, 10)


def test_more_bytes_than_the_limit_are_refused() -> None:
    check_size(10, 10)
    with pytest.raises(TooLargeError, match=r"11 bytes .* at most 10 \(max_response\)"):
        check_size(11, 10)
