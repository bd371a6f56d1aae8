"""Points, vectors and block lists are parsed as DVID parses them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.dvid.url.coordinates import parse_block_coord, parse_blocks, parse_point, parse_vector
from dvidpc.errors import RequestError, TooLargeError
from dvidpc.types import BlockCoord, Point


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("0,0,0", [(0, 0, 0)]),
        ("1,2,3,-4,+5,6", [(1, 2, 3), (-4, 5, 6)]),
        ("007,-0,2147483647", [(7, 0, 2147483647)]),
        ("-2147483648,0,6710887", [(-2147483648, 0, 6710887)]),
        ("0,0,0,0,0,0", [(0, 0, 0), (0, 0, 0)]),
    ],
)
def test_block_lists_are_read(text: str, blocks: list[tuple[int, int, int]]) -> None:
    assert parse_blocks(text, 10) == [BlockCoord(*block) for block in blocks]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,0", "block query string should be three coordinates per block"),
        ("0,0,0,", "block query string should be three coordinates per block"),
        (",,", 'strconv.Atoi: parsing "": invalid syntax'),
        ("0,0,a", 'strconv.Atoi: parsing "a": invalid syntax'),
        ("0,1_0,0", 'strconv.Atoi: parsing "1_0": invalid syntax'),
        ("0, 1,0", 'strconv.Atoi: parsing " 1": invalid syntax'),
        ("0,1e3,0", 'strconv.Atoi: parsing "1e3": invalid syntax'),
        ("0,0x1,0", 'strconv.Atoi: parsing "0x1": invalid syntax'),
        ("٣,0,0", 'strconv.Atoi: parsing "٣": invalid syntax'),
        ("0,９,0", 'strconv.Atoi: parsing "９": invalid syntax'),  # noqa: RUF001 - that is the point
        ("0,0,2147483648", 'strconv.Atoi: parsing "2147483648": value out of range'),
        ("4294967296,0,0", 'strconv.Atoi: parsing "4294967296": value out of range'),
        ("-2147483649,0,0", 'strconv.Atoi: parsing "-2147483649": value out of range'),
        ("9" * 5000 + ",0,0", f'strconv.Atoi: parsing "{"9" * 40}": value out of range'),
    ],
)
def test_wrong_block_lists_are_refused_in_gos_words(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_blocks(text, 10)
    assert str(caught.value) == message


def test_too_many_blocks_are_refused_by_number() -> None:
    with pytest.raises(
        TooLargeError, match=r"11 blocks asked for; this server answers at most 10 \(max_blocks\)"
    ):
        parse_blocks(",".join(["0"] * 33), 10)


@given(st.text(max_size=50))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (
        lambda: parse_blocks(text, 5),
        lambda: parse_point(text, "Size"),
        lambda: parse_block_coord(text),
        lambda: parse_vector(text),
    ):
        with contextlib.suppress(RequestError):
            parse()


def test_points_are_three_numbers() -> None:
    assert parse_point("64_-1_ 3", "Size") == Point(64, -1, 3)
    with pytest.raises(RequestError, match=r"Size must be 3 \(not 2\) dimensions"):
        parse_point("64_64", "Size")
    with pytest.raises(RequestError, match="Offset must be 3d coordinate, not 2-d coordinate"):
        parse_point("64_64", "Offset")


def test_block_coordinates_are_three_integers() -> None:
    assert parse_block_coord("1_-2_ 3") == BlockCoord(1, -2, 3)
    for wrong in ("1_2", "1_2_3_4", ""):
        with pytest.raises(RequestError, match="into a ChunkPoint3d"):
            parse_block_coord(wrong)


def test_vectors_are_three_finite_numbers() -> None:
    assert parse_vector("1.5_-2_3e2") == (1.5, -2.0, 300.0)
    with pytest.raises(RequestError, match=r"can't convert string '1_2' \(length 2\) to Vector3d"):
        parse_vector("1_2")
    with pytest.raises(RequestError, match="invalid syntax"):
        parse_vector("1_2_nan")
