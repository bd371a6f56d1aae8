"""A pyramid is judged as clients see it: the first scale is the finest, and scale n is 2^n times coarser."""

import pytest

from dvidpc.sources.pyramid import explain_pyramid
from dvidpc.sources.scale_plan import Resolution


@pytest.mark.parametrize(
    ("scales", "starts"),
    [
        ([(0, (8, 8, 8))], []),
        ([(0, (8, 8, 8)), (1, (16, 16, 16)), (3, (64, 64, 64))], []),
        ([(0, (4, 4, 40)), (1, (8, 8, 40))], ["scale 1 is 2 x 2 x 1 times coarser than scale 0"]),
        ([(1, (8, 8, 8)), (2, (32, 32, 32))], ["scale 2 is 4 x 4 x 4 times coarser than scale 1"]),
        ([(0, (16, 16, 16)), (1, (8, 8, 8))], ["the scales are not listed from fine to coarse: scale 1 (8 "]),
        (
            [(0, (16, 16, 40)), (1, (8, 8, 40))],
            ["the scales are not listed from fine to coarse: scale 1 (8 "],
        ),
        (
            [(0, (8, 8, 8)), (1, (32, 32, 32)), (2, (16, 16, 16))],
            ["the scales are not listed from fine to coarse: scale 2 (16 "],
        ),
        ([(0, (8, 8, 40)), (1, (16, 16, 20))], ["scale 1 is 2 x 2 x 0.5 times coarser"]),
    ],
)
def test_what_clients_misunderstand_is_named(scales: list[tuple[int, Resolution]], starts: list[str]) -> None:
    found = explain_pyramid(scales)
    assert len(found) == len(starts)
    assert all(text.startswith(start) for text, start in zip(found, starts, strict=True)), found
